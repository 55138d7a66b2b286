-- The hall: version of the model, settings, requests (idempotency), and the
-- base of change numbers, which survives dump and restore.

CREATE TABLE IF NOT EXISTS o2o.model_version (
	version text NOT NULL PRIMARY KEY,
	applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	applied_by text NOT NULL
);
COMMENT ON TABLE o2o.model_version IS 'Versions of the model that setup() applied, one row each. The latest row is the model''s version.';
COMMENT ON COLUMN o2o.model_version.version IS 'Version of the extension whose model was applied, such as 1.2.0';
COMMENT ON COLUMN o2o.model_version.applied_at IS 'When it was applied';
COMMENT ON COLUMN o2o.model_version.applied_by IS 'Login role that called setup()';

CREATE TABLE IF NOT EXISTS o2o.setting (
	name text NOT NULL PRIMARY KEY,
	value text NOT NULL,
	description text NOT NULL
);
COMMENT ON TABLE o2o.setting IS 'Settings of the model, one row each. The owner changes a value with UPDATE.';
COMMENT ON COLUMN o2o.setting.name IS 'Name: room and setting, such as identity.customer_cap';
COMMENT ON COLUMN o2o.setting.value IS 'Value as text';
COMMENT ON COLUMN o2o.setting.description IS 'What the setting does and which values it takes';

CREATE TABLE IF NOT EXISTS o2o.request (
	request_id uuid NOT NULL PRIMARY KEY,
	operation text NOT NULL,
	payload_hash bytea NOT NULL,
	result jsonb,
	created_at timestamptz NOT NULL DEFAULT now(),
	created_by text NOT NULL DEFAULT session_user
) WITH (fillfactor = 80);
COMMENT ON TABLE o2o.request IS 'Idempotency: one row per key that a caller gave, or that an order, return, touchpoint or batch has by itself. Claimed before anything else is touched.';
COMMENT ON COLUMN o2o.request.request_id IS 'request_key() of the idempotency key';
COMMENT ON COLUMN o2o.request.operation IS 'What was asked, such as points_earn or order_place';
COMMENT ON COLUMN o2o.request.payload_hash IS 'SHA-256 of the arguments as JSON text in UTF-8; for orders, returns and touchpoints that came by import, of the batch_id as text';
COMMENT ON COLUMN o2o.request.result IS 'First result, which a replay returns; NULL for orders, returns and touchpoints that came by import';
COMMENT ON COLUMN o2o.request.created_at IS 'When the key was claimed (start of the transaction)';
COMMENT ON COLUMN o2o.request.created_by IS 'Login role that claimed it';

CREATE OR REPLACE FUNCTION o2o.request_key(idempotency_key text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE WHEN idempotency_key ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN idempotency_key::uuid
		ELSE substr(encode(sha256(convert_to(idempotency_key, 'UTF8')), 'hex'), 1, 32)::uuid END
$$;
COMMENT ON FUNCTION o2o.request_key(text) IS 'The request_id of an idempotency key: the key itself where it is a UUID, else the first 128 bits of its SHA-256.';

CREATE OR REPLACE FUNCTION o2o.request_claim(idempotency_key text, operation text, payload jsonb,
	OUT request_id uuid, OUT replay jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	hash bytea;
	earlier record;
BEGIN
	IF idempotency_key IS NULL THEN
		request_id := gen_random_uuid();
		RETURN;
	ELSIF idempotency_key = '' THEN
		RAISE EXCEPTION 'idempotency key is empty'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Give each operation a key of its own, or NULL for none.';
	END IF;
	request_id := o2o.request_key(idempotency_key);
	hash := sha256(convert_to(payload::text, 'UTF8'));
	INSERT INTO o2o.request (request_id, operation, payload_hash)
	VALUES (request_claim.request_id, request_claim.operation, hash)
	ON CONFLICT DO NOTHING;
	IF FOUND THEN
		RETURN;
	END IF;
	SELECT r.operation, r.payload_hash, r.result INTO earlier
	FROM o2o.request r WHERE r.request_id = request_claim.request_id;
	IF earlier.operation <> request_claim.operation OR earlier.payload_hash <> hash THEN
		RAISE EXCEPTION 'idempotency key was used before with other arguments'
			USING ERRCODE = 'O2004',
				DETAIL = format('Request %s was "%s" then and is "%s" now.', request_id, earlier.operation, request_claim.operation),
				HINT = 'Use a new key for a new operation, and the same arguments when an operation is repeated.';
	END IF;
	replay := coalesce(earlier.result, '{}'::jsonb);
END $$;
COMMENT ON FUNCTION o2o.request_claim(text, text, jsonb) IS 'Claims an idempotency key for an operation with these arguments. replay is NULL when the caller is the first and should do the work, else the first result. Without a key, a random request_id and no protection. Errors: O2004 the key was used with another operation or other arguments, 22023 it is empty. A concurrent claim of the same key waits until the first one ends.';

CREATE OR REPLACE FUNCTION o2o.request_finish(request_id uuid, result jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE o2o.request r SET result = request_finish.result WHERE r.request_id = request_finish.request_id;
END $$;
COMMENT ON FUNCTION o2o.request_finish(uuid, jsonb) IS 'Stores the result that a replay of the request returns.';

CREATE OR REPLACE FUNCTION o2o.moment_check(at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF at IS NULL OR NOT isfinite(at) OR at > now() + interval '1 day' THEN
		RAISE EXCEPTION 'the time of a fact must be finite and not in the future'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', coalesce(at::text, 'NULL')),
				HINT = 'A clock may be ahead by a day at most.';
	END IF;
	RETURN at;
END $$;
COMMENT ON FUNCTION o2o.moment_check(timestamptz) IS 'Returns the time at which something happened, as the caller gave it. Error: 22023 it is NULL, infinite or more than a day ahead.';

CREATE TABLE IF NOT EXISTS o2o.change_base (
	system_identifier bigint NOT NULL PRIMARY KEY,
	base bigint NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE o2o.change_base IS 'Change numbers are base + transaction id of this cluster. Transaction ids start over in a new cluster (after dump and restore), so each cluster has its base, above every number given before.';
COMMENT ON COLUMN o2o.change_base.system_identifier IS 'Cluster, as pg_control_system() calls it';
COMMENT ON COLUMN o2o.change_base.base IS 'What is added to a transaction id of the cluster';
COMMENT ON COLUMN o2o.change_base.created_at IS 'When the cluster wrote its first change';
