-- Idempotency keys, claimed by C code (src/base/request.c), which runs with the
-- caller's rights and opens nothing. API functions of the model call it.

CREATE FUNCTION o2o.request_key(idempotency_key text) RETURNS uuid
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'o2o_request_key_call';
COMMENT ON FUNCTION o2o.request_key(text) IS 'The request_id of an idempotency key: the key itself where it is a UUID, else the first 128 bits of its SHA-256.';

CREATE TYPE o2o.request_claimed AS (request_id uuid, replay jsonb);
COMMENT ON TYPE o2o.request_claimed IS 'What a claim of an idempotency key answers.';
COMMENT ON COLUMN o2o.request_claimed.request_id IS 'The request_id of the key; random where there is none';
COMMENT ON COLUMN o2o.request_claimed.replay IS 'NULL where the caller is the first and should do the work, else the first result; empty where none was kept';

CREATE FUNCTION o2o.request_claim(idempotency_key text, operation text, payload jsonb) RETURNS o2o.request_claimed
LANGUAGE c AS 'MODULE_PATHNAME', 'o2o_request_claim_call';
COMMENT ON FUNCTION o2o.request_claim(text, text, jsonb) IS 'Claims an idempotency key for an operation with these arguments. replay is NULL when the caller is the first and should do the work, else the first result. Without a key, a random request_id and no protection. Runs with the caller''s rights, who needs those on table request. Errors: O2004 the key was used with another operation or other arguments, 22023 it is empty, 22004 operation or arguments are NULL. A concurrent claim of the same key waits until the first one ends.';

CREATE FUNCTION o2o.request_finish(request_id uuid, result jsonb) RETURNS void
LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'o2o_request_finish_call';
COMMENT ON FUNCTION o2o.request_finish(uuid, jsonb) IS 'Stores the result that a replay of the request returns. Runs with the caller''s rights, who needs those on table request.';
