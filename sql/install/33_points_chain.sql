-- The hash chain of an account. The C code is src/points/chain.c.

CREATE FUNCTION o2o.points_chain(previous bytea, profile_id bigint, account_id bigint, version bigint, transfer_id bigint,
	contra_account_id bigint, operation text, amount o2o.points, balance o2o.points, expires_at timestamptz, grant_month date, funding text,
	request_id uuid, acting_profile_id bigint, customer_id bigint, reference text, occurred_at timestamptz, posted_at timestamptz,
	posted_by text, reverses_transfer_id bigint, seq bigint) RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_chain_of';
COMMENT ON FUNCTION o2o.points_chain(bytea, bigint, bigint, bigint, bigint, bigint, text, o2o.points, o2o.points, timestamptz, date, text, uuid, bigint, bigint, text, timestamptz, timestamptz, text, bigint, bigint) IS 'The link of a posting in the hash chain of its account: SHA-256 (FIPS 180-4) over the byte 1, the link before (32 bytes, zeros where previous is NULL), and the columns in the order of the arguments. Numbers as 8 bytes, the highest first; times as microseconds since 2000-01-01 UTC, dates as days, points as units of 1/10000 point; text as its length and its bytes; the lot (expires_at, grant_month, funding together), reference and reverses_transfer_id each after a byte 1, or a byte 0 alone where they are NULL. reason is not covered, so that free text can be erased. NULL where another argument is NULL. Error: 22023 previous does not have 32 bytes.';

CREATE FUNCTION o2o.points_merkle_root(leaves bytea) RETURNS bytea
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_points_merkle_root';
COMMENT ON FUNCTION o2o.points_merkle_root(bytea) IS 'Root of the Merkle tree over leaves of 32 bytes each, one after the other, as RFC 9162 (2.1.1) has it: a leaf is SHA-256 over the byte 0 and its 32 bytes, a node SHA-256 over the byte 1 and its two children, the left one with as many leaves as the largest power of two below the number of leaves. Error: 22023 no leaf, or not a multiple of 32 bytes.';

CREATE FUNCTION o2o.points_merkle_path(leaves bytea, place bigint)
RETURNS TABLE (step integer, part text, hash bytea)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'o2o_points_merkle_path';
COMMENT ON FUNCTION o2o.points_merkle_path(bytea, bigint) IS 'The path from a leaf, by place from 1, to the root of points_merkle_root(leaves): step from 1, part (left or right: on which side the hash goes), and hash of the other child. No row where it is the only leaf. Error: 22023 no such leaf, or not a multiple of 32 bytes.';
