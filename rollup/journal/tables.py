"""The journal's tables, in SQL that SQLite and PostgreSQL read alike.

Ids and hashes are bytes; wei is decimal text, or stands inside ABI-encoded records, since 96 bits fit no SQL integer;
moments are seconds since the Unix epoch.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

METADATA = MetaData()

# Numbers that only ever grow: the sequencer's next place in line, the next fencing token.
counters = Table(
    "counters",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

requests = Table(
    "requests",
    METADATA,
    Column("id", LargeBinary(32), primary_key=True),
    Column("requester", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("due_wei", String(32), nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    Column("signature", LargeBinary(65), nullable=False),
    Column("n", BigInteger, nullable=False, unique=True),
    Column("status", String(16), nullable=False, index=True),
    Column("accepted_at", BigInteger, nullable=False),
    Column("idempotency_key", String(128)),
    Column("body_hash", LargeBinary(32)),
    Column("post_key", String(80), index=True),
    Column("batch_id", LargeBinary(32)),
    Column("batch_index", Integer),
    Column("empty_reason", Integer),
    UniqueConstraint("requester", "idempotency_key", name="one_body_per_key"),
)
# A nonce may be used again once the request that had it was dropped or logged empty.
_alive = requests.c.status.in_(["accepted", "posting", "posted"])
Index(
    "one_request_per_nonce",
    requests.c.requester,
    requests.c.nonce,
    unique=True,
    sqlite_where=_alive,
    postgresql_where=_alive,
)

jobs = Table(
    "jobs",
    METADATA,
    Column("request_id", LargeBinary(32), primary_key=True),
    Column("model", LargeBinary(32), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("worker", String(128)),
    Column("token", BigInteger, nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("output", LargeBinary),
    Column("undefined", Boolean, nullable=False),
    Column("error", String(1024)),
)
Index("jobs_by_model", jobs.c.model, jobs.c.status, jobs.c.place)

transactions = Table(
    "transactions",
    METADATA,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("order", BigInteger, nullable=False),
    Column("sender", LargeBinary(20), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("intent", String(128), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("max_fee_wei", String(32), nullable=False),
    Column("tip_wei", String(32), nullable=False),
)
Index("transactions_by_intent", transactions.c.sender, transactions.c.intent)
Index("transactions_by_nonce", transactions.c.sender, transactions.c.nonce)

cursors = Table(
    "cursors",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("block_number", BigInteger, nullable=False),
    Column("block_hash", LargeBinary(32), nullable=False),
)
