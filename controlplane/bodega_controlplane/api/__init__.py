"""The faces of the control plane: translate, call the app layer, translate back; nothing else."""
