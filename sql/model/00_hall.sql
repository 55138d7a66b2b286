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

CREATE OR REPLACE FUNCTION o2o.moment_check(at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF at IS NULL OR NOT isfinite(at) OR at > now() + interval '24 hours' THEN
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
