"""The schema of a database: made, checked, and moved forward, never back.

`meta.schema_version` says which version a database has. A newer one than this program knows is refused
(SchemaTooNew): guessing would corrupt it. Each of STEPS moves one version forward inside one
transaction; `schema.metadata` is the whole of the newest version, and what a fresh database gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from bodega.errors import SchemaTooNew
from bodega_controlplane.store import schema
from bodega_controlplane.store.into_parts import INTO_PARTS
from bodega_controlplane.store.schema import former as former_tables
from bodega_controlplane.store.tellers import drop_tellers, make_tellers


@dataclass(frozen=True, slots=True)
class Step:
    """What one version adds: columns to tables that are there (each with a default for their rows), tables, and
    indexes of tables that are there.

    `rebuilt`: tables of which a constraint goes, which SQLite can not do but by making them anew.
    `statements`: what both databases run once all of that is there, such as a copy into a new table.
    `on_postgresql`: statements for what only PostgreSQL keeps in another way.
    """

    columns: Mapping[sa.Table, tuple[str, ...]]
    tables: tuple[sa.Table, ...] = ()
    indexes: tuple[sa.Index, ...] = ()
    rebuilt: tuple[sa.Table, ...] = ()
    statements: tuple[str, ...] = ()
    on_postgresql: tuple[str, ...] = ()


# The version that a step leads to -> the step.
STEPS: Mapping[int, Step] = {
    # Units, serials, expiry, kits; where serials are; what closed, what was set aside, what nodes may promise.
    2: Step(
        {
            schema.sku: (
                "serial_tracked",
                "expiry_tracked",
                "base_unit",
                "units",
                "units_version",
                "components",
            ),
            schema.gtin: ("unit",),
            schema.discrepancy: ("closed_seq",),
            schema.node: ("diverged_seq",),
        },
        (
            schema.serial,
            schema.rule_override,
            schema.node_rights,
            schema.rights_transfer,
            schema.node_reservation,
        ),
    ),
    # What people decide about conflicts; orders and goods that move between nodes; edits that nodes propose; how
    # nodes come back; the broker's streams, bulk that waits, telemetry.
    3: Step(
        {
            schema.orders: ("service_class",),
            schema.fulfillment_order: ("assigned_event", "revoked_event", "shipped_event"),
            schema.sku: ("field_changes",),
            schema.node_reservation: ("expires_after_ms",),
            schema.rule_override: ("expires_after_ms",),
            schema.down_log: ("at_ms",),
            schema.conflict: (
                "sku_id",
                "effects",
                "needs",
                "state",
                "decided_by",
                "decision",
                "decided_at_ms",
                "override_ends_ms",
            ),
            schema.node: (
                "refused",
                "foreign_ms",
                "paused_at_ms",
                "lost_to_seq",
                "fenced",
                "desired_signature",
                "down_trimmed_ms",
                "understands",
            ),
            schema.refused_envelope: ("times", "last_ms"),
        },
        (
            schema.transfer,
            schema.transfer_side,
            schema.transfer_goods,
            schema.field_proposal,
            schema.lot,
            schema.broker_stream,
            schema.divergence,
            schema.divergence_count,
            schema.down_waiting,
            schema.hub_override,
            schema.reassignment,
            former_tables.revoked_reservation,
            schema.telemetry,
            schema.work_to_stop,
            schema.node_agent,
            schema.node_epoch,
            schema.node_snapshot,
            schema.readmission,
        ),
        (schema.rule_override_open,),
        on_postgresql=(
            "DROP INDEX IF EXISTS stock_zero",
            "ALTER TABLE stock SET (fillfactor = 70)",
        ),
    ),
    # The work on the floor: what nodes say of it, what goods are like, and how customers get them.
    4: Step(
        {
            schema.sku: (
                "length_mm",
                "width_mm",
                "height_mm",
                "temperature_class",
                "velocity_class",
                "fragile",
            ),
            schema.orders: ("method", "ship_complete", "ship_by_ms", "pickup"),
            schema.order_line: ("substitutes",),
        },
        schema.FLOOR_TABLES,
    ),
    # Orders in parts, promises by assignment; routing bundles and rate cards; channels, events, webhooks, exchanges.
    5: Step(
        {
            schema.node: (
                "kind",
                "country",
                "capacity_orders",
                "labels",
                "time_zone",
                "routing_activation",
                "routing_reported",
            ),
            schema.orders: ("cancel_asked", "backorder", "not_before_ms", "parts_max"),
            schema.order_line: ("kit_line",),
            schema.fulfillment_order: ("part", "carrier_service"),
            # What goes with a stored answer: Location and ETag.
            schema.idempotency: ("headers",),
        },
        (
            schema.order_part,
            schema.part_line,
            schema.fulfillment_line,
            *schema.EVENT_TABLES,
            *schema.RATE_TABLES,
            *schema.ROUTING_TABLES,
            *schema.EXCHANGE_TABLES,
            *schema.CHANNEL_TABLES,
        ),
        (
            schema.idempotency_oldest,
            schema.orders_of_channel,
            schema.orders_changed,
            schema.orders_to_leave,
            schema.fulfillment_order_waiting,
        ),
        rebuilt=(schema.orders,),
        statements=INTO_PARTS,
        on_postgresql=("ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_node_id_fkey",),
    ),
}


def _take(connection: sa.Connection, step: Step) -> None:
    if connection.dialect.name == "sqlite":
        for table in step.rebuilt:
            _make_anew(connection, table)
    for table, names in step.columns.items():
        # A table that an earlier step has just made is in its newest shape already.
        there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
        for name in [name for name in names if name not in there]:
            definition = CreateColumn(table.c[name]).compile(dialect=connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
    schema.metadata.create_all(connection, tables=step.tables)
    for index in step.indexes:
        index.create(connection, checkfirst=True)
    for statement in step.statements:
        connection.exec_driver_sql(statement)
    for statement in step.on_postgresql if connection.dialect.name == "postgresql" else ():
        connection.exec_driver_sql(statement)


def _make_anew(connection: sa.Connection, table: sa.Table) -> None:
    """The table in its newest shape, with the rows that it had; tables that refer to it are looked at in the end."""
    there = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    names = ", ".join(column.name for column in table.columns if column.name in there)
    connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
    connection.exec_driver_sql(f"CREATE TEMP TABLE made_anew AS SELECT {names} FROM {table.name}")  # noqa: S608 - names are our own
    connection.exec_driver_sql(f"DROP TABLE {table.name}")
    table.create(connection)
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM made_anew")  # noqa: S608 - as above
    connection.exec_driver_sql("DROP TABLE made_anew")


# Two processes that open a fresh PostgreSQL database at once must not both create its tables.
_SCHEMA_LOCK = 0x626F6465


def bring_up_to_date(connection: sa.Connection) -> int | None:
    """Create or migrate the schema inside the caller's transaction; the version before, None for an empty database.

    Raises SchemaTooNew.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
    found = version_of(connection)
    if found == schema.SCHEMA_VERSION:
        return found
    if found is None:
        schema.metadata.create_all(connection)
        _make_append_only(connection)
    elif found > schema.SCHEMA_VERSION:
        raise SchemaTooNew(
            f"the database has schema version {found}, this program knows up to {schema.SCHEMA_VERSION}",
            hint="install the newer Bodega that wrote it, or restore a backup from before the upgrade",
        )
    drop_tellers(connection)
    for version in range((found or schema.SCHEMA_VERSION) + 1, schema.SCHEMA_VERSION + 1):
        _take(connection, STEPS[version])
    make_tellers(connection)
    connection.execute(sa.delete(schema.meta).where(schema.meta.c.key == "schema_version"))
    connection.execute(sa.insert(schema.meta).values(key="schema_version", value=str(schema.SCHEMA_VERSION)))
    return found


def version_of(connection: sa.Connection) -> int | None:
    """The version that a database says it has; None for one that is not ours, or empty."""
    if not sa.inspect(connection).has_table("meta"):
        return None
    query = sa.select(schema.meta.c.value).where(schema.meta.c.key == "schema_version")
    value = connection.execute(query).scalar_one_or_none()
    return int(value) if value is not None else None


def _make_append_only(connection: sa.Connection) -> None:
    for table in schema.APPEND_ONLY:
        message = f"{table.name} is append-only"
        if connection.dialect.name == "postgresql":
            _guard_postgresql(connection, table.name, message)
        else:
            for action in ("UPDATE", "DELETE"):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER {table.name}_no_{action.lower()} BEFORE {action} ON {table.name} "
                    f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
                )


def _guard_postgresql(connection: sa.Connection, table: str, message: str) -> None:
    connection.exec_driver_sql(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    connection.exec_driver_sql(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
