"""The storefront's HTTP/JSON face: FastAPI translates, the app layer decides."""
