"""Reads what the broker's streams hold, as the witness user, message by message.

A demo may hold a broker connection of its own: it stands beside the agent, not in it.
"""

from __future__ import annotations

from bodega_agent.demo.broker import WITNESS_USER, Broker


async def read_streams(broker: Broker) -> tuple[list[bytes], list[bytes]]:
    """All messages of UP and of DOWN, in stream order."""
    import nats  # noqa: PLC0415 (only at the end of a run)

    connection = await nats.connect(
        f"nats://127.0.0.1:{broker.port}",
        name="demo-witness",
        user=WITNESS_USER,
        password=broker.password(WITNESS_USER),
        inbox_prefix=f"_INBOX_{WITNESS_USER}".encode(),
    )
    try:
        streams = connection.jetstream()
        found: dict[str, list[bytes]] = {}
        for name in ("UP", "DOWN"):
            state = (await streams.stream_info(name)).state
            messages = [
                await streams.get_msg(name, seq, direct=True)
                for seq in range(state.first_seq, state.last_seq + 1)
                if state.messages
            ]
            found[name] = [message.data or b"" for message in messages]
        return found["UP"], found["DOWN"]
    finally:
        await connection.close()
