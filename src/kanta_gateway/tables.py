"""Every table of the gateway's database; SQLite and PostgreSQL have the same.

* Tables of the log begin with `audit_`, no other table does.
* Their shape changes by a step in `migrations` only; a test compares both.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

Instant = String(32)  # model.instant(): text order is time order
Id = BigInteger().with_variant(Integer, "sqlite")  # of a key in the key store

data_key = Table(
    "data_key", metadata,
    Column("id", Id, primary_key=True, autoincrement=False),  # the key itself lies in the key store
    Column("made_at", Instant, nullable=False),
    Column("destroyed_at", Instant),
)  # fmt: skip

forgotten = Table(
    "forgotten", metadata,                           # on its way to the journal beside the keys
    Column("id", Integer, primary_key=True),
    Column("origin", String(36), nullable=False),
    Column("kind", String(16), nullable=False),      # forgotten.py
    Column("subject", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Column("key_id", Id),
    Column("details", Text, nullable=False),         # JSON: ids, moments and provisions
)  # fmt: skip

forgotten_mark = Table(
    "forgotten_mark", metadata,
    Column("id", Integer, primary_key=True),         # one row
    Column("number", Integer, nullable=False),       # newest entry of the journal whose deed is in this database
)  # fmt: skip

lost_will = Table(
    "lost_will", metadata,                           # statements of will that a restored database has lost
    Column("ticket", String(36), primary_key=True),
    Column("provider", String(128), nullable=False),
    Column("client_ref", String(64), nullable=False),
    Column("kind", String(32), nullable=False),      # access/wills.py
    Column("name", String(64), nullable=False),      # keyed digest of what the statement is called
    Column("version", Integer, nullable=False),
    Column("at", Instant, nullable=False),           # when it had come
    Index("lost_will_client", "client_ref", "provider"),
)  # fmt: skip

reminder = Table(
    "reminder", metadata,                            # of records that wait or were refused
    Column("ticket", String(36), primary_key=True),
    Column("days", Integer, primary_key=True, autoincrement=False),  # after how many days
    Column("at", Instant, nullable=False),
)  # fmt: skip

party_statement = Table(
    "party_statement", metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(24), nullable=False),      # access/statements.py
    Column("thing", String(24), nullable=False),     # what it is about, as a short digest
    Column("owner", String(128), nullable=False),    # organisation whose it is; empty for nobody's in particular
    Column("valid_from", String(10), nullable=False),
    Column("valid_to", String(10)),                  # last day; NULL until further notice
    Column("body", Text, nullable=False),            # JSON, nothing about a person
    Column("sealed", LargeBinary),                   # what is about a person
    Column("client_ref", String(64)),                # whose relationship it is; NULL for anything else
    Column("recorded_at", Instant, nullable=False),
    Index("party_statement_kind", "kind", "owner"),
    Index("party_statement_client", "client_ref"),
)  # fmt: skip

access_grant = Table(
    "access_grant", metadata,                              # break-glass: one person, one client, one sub-item
    Column("id", String(36), primary_key=True),
    Column("provider", String(128), nullable=False),
    Column("controller", String(128), nullable=False),
    Column("purchaser", String(64), nullable=False),
    Column("client_ref", String(64), nullable=False),
    Column("organisation", String(128), nullable=False),   # of the person who may look
    Column("person_ref", String(64), nullable=False),      # keyed
    Column("role", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("item", String(32), nullable=False),            # mappings/policy/disclosures.yaml, grounds
    Column("row", String(8), nullable=False),              # row of the decision table when it was opened
    Column("facts", Text, nullable=False),                 # JSON: what was stated, words only
    Column("sealed", LargeBinary, nullable=False),         # person and reason in words
    Column("given_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),              # first moment at which it does not hold
    Column("ended_at", Instant),                           # ended earlier, by hand
    Column("uses", Integer, nullable=False),               # documents that were disclosed by it
    Column("due_on", String(10), nullable=False),          # last day of the review
    Column("reviewed_at", Instant),
    Column("outcome", String(32)),                         # NULL until reviewed
    Column("review", LargeBinary),                         # sealed: reviewer and note
    Column("case_due_on", String(10)),                     # where the outcome leads to a case
    Column("case_owner", LargeBinary),                     # sealed
    Column("case_closed_at", Instant),
    Index("access_grant_person", "person_ref", "client_ref"),
    Index("access_grant_review", "reviewed_at", "due_on"),
)  # fmt: skip

calling_system = Table(
    "calling_system", metadata,
    Column("thumbprint", String(64), primary_key=True),  # x5t#S256, base64url
    Column("certificate", Text, nullable=False),          # PEM
    Column("organisation", String(128), nullable=False),
    Column("name", Text, nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)  # fmt: skip

assertion_used = Table(
    "assertion_used", metadata,
    Column("mark", String(64), primary_key=True),         # access/once.py; nothing about a person
    Column("expires_at", Instant, nullable=False),
    Column("is_told", Integer, nullable=False),           # whether its repeat is in the log
    Index("assertion_used_expires", "expires_at"),
)  # fmt: skip

reading = Table(
    "reading", metadata,
    Column("who", String(64), primary_key=True),          # pipeline/measure.py; a keyed mark of person and system
    Column("minute", String(16), primary_key=True),
    Column("clients", Integer, nullable=False),
    Index("reading_minute", "minute"),
)  # fmt: skip

delivery = Table(
    "delivery", metadata,
    Column("id", String(64), primary_key=True),
    Column("provider", String(128), nullable=False),
    Column("source", String(64), nullable=False),
    Column("purchaser", String(64), nullable=False),
    Column("as_of", String(10), nullable=False),
    Column("header", Text, nullable=False),               # JSON: what was said about the file, no client data
    Column("findings", Text, nullable=False),             # JSON: on the delivery as a whole, no personal values
    Column("received_at", Instant, nullable=False),
    Column("settled_at", Instant),
)  # fmt: skip

record = Table(
    "record", metadata,
    Column("id", Integer, primary_key=True),
    Column("provider", String(128), nullable=False),
    Column("purchaser", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("type", String(64), nullable=False),
    Column("record_id", String(256), nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_keyed", Integer, nullable=False),           # the version counts states of a natural key (GEN-06)
    Column("client_ref", String(64)),
    Column("ticket", String(36), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),          # keyed; empty once destroyed
    Column("is_cancelled", Integer, nullable=False),
    Column("state", String(16), nullable=False),           # received, settled
    Column("outcome", String(16)),                         # NULL until settled
    Column("findings", Text, nullable=False),              # JSON, no personal values
    Column("removed", Text, nullable=False),               # JSON: dropped, masked
    Column("facts", LargeBinary),                          # sealed with the facts key
    Column("payload", LargeBinary),                        # sealed with the data key
    Column("key_id", Id, ForeignKey("data_key.id")),
    Column("as_of", String(10), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Index("record_client", "client_ref", "provider"),
    Index("record_identity", "provider", "type", "record_id", "version"),
    Index("record_state", "state"),
)  # fmt: skip

delivered = Table(
    "delivered", metadata,
    Column("delivery_id", String(64), ForeignKey("delivery.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("part", Integer, primary_key=True),             # records that stand in one delivered row
    Column("record_row", Integer, ForeignKey("record.id"), nullable=False),
    Column("label", String(256), nullable=False),          # what the row is called; empty: the record's id
    Column("is_duplicate", Integer, nullable=False),
    Column("is_older", Integer, nullable=False),           # a duplicate of a state that has been replaced
)  # fmt: skip

moved = Table(
    "moved", metadata,                                     # records that were delivered for more than one client
    Column("provider", String(128), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("record_id", String(256), primary_key=True),
    Column("client_ref", String(64), primary_key=True),    # one row for each of those clients
    Index("moved_client", "client_ref"),
)  # fmt: skip

person_link = Table(
    "person_link", metadata,                               # two client numbers of one person, as an official said
    Column("id", Integer, primary_key=True),
    Column("provider", String(128), nullable=False),
    Column("purchaser", String(64), nullable=False),       # name of the contract file: one controller's register
    Column("client_ref", String(64), nullable=False),      # is judged and filed as ...
    Column("primary_ref", String(64), nullable=False),     # ... this one
    Column("reason", String(32), nullable=False),
    Column("merged_at", Instant, nullable=False),
    Column("undone_at", Instant),
    Index("person_link_client", "client_ref"),
    Index("person_link_primary", "primary_ref"),
)  # fmt: skip

client_person = Table(
    "client_person", metadata,                             # which client numbers have one identity code
    Column("provider", String(128), primary_key=True),
    Column("purchaser", String(64), primary_key=True),
    Column("client_ref", String(64), primary_key=True),
    Column("version", Integer, nullable=False),            # of the client's record that tells it
    Column("person_ref", String(64), nullable=False),      # keyed by the controller; empty where no code is told
    Index("client_person_person", "person_ref"),
)  # fmt: skip

fingerprint = Table(
    "fingerprint", metadata,
    Column("client_ref", String(64), primary_key=True),
    Column("cls", String(32), primary_key=True),
    Column("value", String(64), primary_key=True),         # HMAC-SHA-256, hex
)  # fmt: skip

document = Table(
    "document", metadata,
    Column("sequence", Integer, primary_key=True),
    Column("oid", String(128), nullable=False, unique=True),
    Column("set_oid", String(128), nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("replaces", String(128)),
    Column("record_row", Integer, ForeignKey("record.id"), nullable=False),
    Column("part", String(64), nullable=False),            # mapping variant: a record may bring two documents
    Column("structure", String(128), nullable=False),
    Column("client_ref", String(64), nullable=False),
    Column("provider", String(128), nullable=False),
    Column("organiser", String(128), nullable=False),
    Column("state", String(16), nullable=False),           # spool/states.py
    Column("payload", LargeBinary),                        # sealed signed bytes; NULL once the key is destroyed
    Column("key_id", Id, ForeignKey("data_key.id"), nullable=False),
    Column("digest", String(64), nullable=False),          # SHA-256 of the signed bytes
    Column("inputs", Text, nullable=False),                # JSON: record rows it was made of
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("lease_token", String(36)),
    Column("lease_until", Instant),
    Column("problem", Text),                               # last problem, JSON, no personal values
    Column("receipt", Text),                               # the archive's answer, kept as evidence
    Column("made_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Index("document_due", "state", "next_attempt_at", "sequence"),
    Index("document_set", "set_oid", "version_number"),
    Index("document_record", "record_row"),
    Index("document_client", "client_ref"),
)  # fmt: skip

notice = Table(
    "notice", metadata,
    Column("sequence", Integer, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("provider", String(128), nullable=False),
    Column("organiser", String(128), nullable=False),
    Column("purchaser", String(64), nullable=False),
    Column("client_ref", String(64), nullable=False),      # what it is about: a client, or the provider's own conduct
    Column("is_client", Integer, nullable=False),
    Column("type", String(64), nullable=False),            # name of the file in mappings/notices
    Column("state", String(16), nullable=False),           # notices/states.py
    Column("corrects", String(36), nullable=False),        # id of the first notice; empty for a first one
    Column("recipients", Text, nullable=False),            # JSON: kinds; more than one where it is not known who it is
    Column("recipient", String(32), nullable=False),       # kind of the one that got it; empty until then
    Column("items", Text, nullable=False),                 # JSON: which records it tells of, with keyed marks
    Column("payload", LargeBinary),                        # sealed content; NULL once the key is destroyed
    Column("key_id", Id, ForeignKey("data_key.id"), nullable=False),
    Column("send_on", String(10), nullable=False),
    Column("ready_on", String(10), nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("disclosed_at", Instant),
    Column("settled_at", Instant),                         # withdrawn or acknowledged
    Index("notice_client", "client_ref", "provider"),
    Index("notice_state", "state", "sequence"),
)  # fmt: skip

notice_call = Table(
    "notice_call", metadata,
    Column("id", Integer, primary_key=True),
    Column("notice", Integer, ForeignKey("notice.sequence"), nullable=False),
    Column("way", String(16), nullable=False),             # webhook, email
    Column("body", String(16), nullable=False),            # notice, announcement
    Column("state", String(16), nullable=False),           # queued, done, dropped
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("lease_token", String(36)),
    Column("lease_until", Instant),
    Column("problem", Text),                               # last problem, JSON, no personal values
    Column("settled_at", Instant),
    Index("notice_call_once", "notice", "way", unique=True),
    Index("notice_call_due", "state", "next_attempt_at"),
)  # fmt: skip

client_request = Table(
    "client_request", metadata,                            # what clients ask for by right (rights/store.py)
    Column("sequence", Integer, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("kind", String(24), nullable=False),            # mappings/rights/kinds.yaml
    Column("provider", String(128), nullable=False),
    Column("organiser", String(128), nullable=False),      # the controller, who decides
    Column("purchaser", String(64), nullable=False),
    Column("client_ref", String(64), nullable=False),
    Column("asker", String(24), nullable=False),           # client, custodian, guardian, proxy
    Column("state", String(16), nullable=False),
    Column("received_on", String(10), nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("repeats", String(36), nullable=False),         # an earlier answered request for the same; empty for none
    Column("since", Instant, nullable=False),              # the time asked about; empty: as far as it may go
    Column("until", Instant, nullable=False),              # empty: until it is answered
    Column("outcome", String(16), nullable=False),         # empty until decided
    Column("ground", String(32), nullable=False),
    Column("registered_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("answered_at", Instant),
    Column("key_id", Id, ForeignKey("data_key.id"), nullable=False),
    Column("sealed", LargeBinary),                         # who asks, why, and what was decided; NULL once destroyed
    Index("client_request_client", "client_ref"),
)  # fmt: skip

disclosure = Table(
    "disclosure", metadata,                                # disclosure notices to the national log register
    Column("sequence", Integer, primary_key=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("event", String(32), nullable=False),           # of the entry that tells of the disclosure
    Column("subject", String(128), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("client_ref", String(64)),
    Column("provider", String(128), nullable=False),       # the discloser
    Column("controller", String(128), nullable=False),
    Column("state", String(16), nullable=False),           # spool/disclosures.py
    Column("told", LargeBinary),                           # sealed: what the notice tells of; NULL once destroyed
    Column("payload", LargeBinary),                        # sealed: the signed bytes, once made
    Column("key_id", Id, ForeignKey("data_key.id"), nullable=False),
    Column("digest", String(64), nullable=False),          # SHA-256 of the signed bytes; empty until made
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("lease_token", String(36)),
    Column("lease_until", Instant),
    Column("problem", Text),                               # last problem, JSON, no personal values
    Column("receipt", Text),                               # the register's answer, kept as evidence
    Column("made_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Index("disclosure_due", "state", "next_attempt_at", "sequence"),
    Index("disclosure_subject", "subject"),
)  # fmt: skip

change = Table(
    "change", metadata,                                    # proposed changes of policy, contracts and thresholds
    Column("number", Integer, primary_key=True),
    Column("state", String(16), nullable=False),           # access/changes.py
    Column("proposer", String(64), nullable=False),        # keyed reference of the person
    Column("decider", String(64), nullable=False),         # of another person; empty until decided
    Column("digest", String(64), nullable=False),          # SHA-256 of `told`: stands in every entry about it
    Column("told", Text, nullable=False),                  # JSON: paths and digests of what changes
    Column("sealed", LargeBinary, nullable=False),         # why, by whom, the content, and the preview of its effect
    Column("proposed_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("review_by", String(10)),                       # last day of the review of what was narrowed at once
    Column("code", LargeBinary(32), nullable=False),       # keyed, over all that decides what is approved
)  # fmt: skip

content_use = Table(
    "content_use", metadata,                               # which content the gateway has worked with, newest last
    Column("number", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)  # fmt: skip

oid_block = Table(
    "oid_block", metadata,
    Column("node", String(128), primary_key=True),
    Column("next_value", Integer, nullable=False),
)  # fmt: skip

idempotency = Table(
    "idempotency", metadata,
    Column("caller", String(128), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("ticket", String(64), nullable=False),
    Column("made_at", Instant, nullable=False),
)  # fmt: skip

supervision_case = Table(
    "supervision_case", metadata,                                    # alerts and incidents (audit/cases.py)
    Column("id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),                      # alert, incident
    Column("rule", String(64), nullable=False),                      # rule of the alert, trigger of the incident
    Column("controller", String(128), nullable=False, server_default=""),  # whose register; empty: of none alone
    Column("finding", String(64), unique=True),                      # digest of what was found; NULL for an incident
    Column("person_ref", String(64), nullable=False),                # whose acts; empty for nobody's
    Column("known_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("closed_at", Instant),
    Column("outcome", String(32), nullable=False),                   # empty while it is open
    Index("supervision_case_open", "closed_at", "due_on"),
)  # fmt: skip

supervision_step = Table(
    "supervision_step", metadata,                                    # added, never changed
    Column("id", Integer, primary_key=True),
    Column("case_id", String(36), ForeignKey("supervision_case.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("step", String(16), nullable=False),                      # open, work, notify, close
    Column("clock", String(32), nullable=False),                     # of a notify: which clock it answers
    Column("told_at", Instant),                                      # of a notify: when
    Column("sealed", LargeBinary, nullable=False),                   # JSON: owner, who acted, note
    Index("supervision_step_case", "case_id"),
)  # fmt: skip

audit_entry = Table(
    "audit_entry", metadata,
    Column("idx", Integer, primary_key=True, autoincrement=False),   # 0-based leaf index
    Column("leaf_hash", LargeBinary(32), nullable=False),            # stays when the rest of the row is gone
    Column("event", String(32)),
    Column("client_ref", String(64)),
    Column("name", String(64)),                                      # commitment to the acting person's name row
    Column("at", Instant),
    Column("key_id", Id),                                            # key of the register and day, in the key store
    Column("sealed", LargeBinary),                                   # RFC 8785 bytes that the leaf hashes, sealed
    Index("audit_entry_client", "client_ref"),
    Index("audit_entry_name", "name", "at"),                         # which names no younger entry tells of
    Index("audit_entry_at", "at"),
    Index("audit_entry_key", "key_id"),
)  # fmt: skip

audit_node = Table(
    "audit_node", metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),  # 1 = over two leaves
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)  # fmt: skip

audit_head = Table(
    "audit_head", metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),   # tree size after one commit
    Column("root", LargeBinary(32), nullable=False),
    Column("at", Instant, nullable=False),
    Column("mac", LargeBinary(32), nullable=False),                   # keyed: see audit/heads.py
)  # fmt: skip

audit_checkpoint = Table(
    "audit_checkpoint", metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),                             # C2SP signed note
    Column("at", Instant, nullable=False),
)  # fmt: skip

audit_name = Table(
    "audit_name", metadata,
    Column("commitment", String(64), primary_key=True),               # stands in the entries; covers this row
    Column("ref", String(64), nullable=False),                        # keyed reference of the person
    Column("salt", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),                    # name and identifier, sealed
    Index("audit_name_ref", "ref"),
)  # fmt: skip
