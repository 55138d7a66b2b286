-- The identity room: the bulk import in chunks that are committed one by one, so that
-- a backfill of history can be stopped, crash and go on. What is done with a chunk
-- stands in 24_identity_import.

CREATE OR REPLACE VIEW o2o.identity_batch_progress AS
	SELECT b.batch_id, b.rows_total, b.rows_done, b.rows_failed, b.rows_total - b.rows_done - b.rows_failed AS rows_left,
		(b.rows_done / nullif(extract(epoch FROM b.worked), 0))::double precision AS rows_per_second,
		b.started_at, b.last_chunk_at, b.finished_at, b.last_error, b.last_error_at
	FROM o2o.import_batch b;
COMMENT ON VIEW o2o.identity_batch_progress IS 'How far identity_resolve_batch() is, one row per batch. Moves with each chunk that is committed; times are instants.';
COMMENT ON COLUMN o2o.identity_batch_progress.batch_id IS 'Batch in import_identity';
COMMENT ON COLUMN o2o.identity_batch_progress.rows_total IS 'Rows staged when it was called last';
COMMENT ON COLUMN o2o.identity_batch_progress.rows_done IS 'Rows that have a profile';
COMMENT ON COLUMN o2o.identity_batch_progress.rows_failed IS 'Rows that could not be taken; import_problem has the reasons';
COMMENT ON COLUMN o2o.identity_batch_progress.rows_left IS 'Rows to go';
COMMENT ON COLUMN o2o.identity_batch_progress.rows_per_second IS 'Rows done per second of work, pauses between calls not counted; NULL: none yet';
COMMENT ON COLUMN o2o.identity_batch_progress.started_at IS 'When it was called first';
COMMENT ON COLUMN o2o.identity_batch_progress.last_chunk_at IS 'When the last chunk was done; NULL: none yet';
COMMENT ON COLUMN o2o.identity_batch_progress.finished_at IS 'When no row was left; NULL: some are: call it again where none is running';
COMMENT ON COLUMN o2o.identity_batch_progress.last_error IS 'SQLSTATE and message of the last error that ended a call; NULL: none. A cancelled call or a crash leaves none';
COMMENT ON COLUMN o2o.identity_batch_progress.last_error_at IS 'When that was; NULL: never';

CREATE OR REPLACE FUNCTION o2o.identity_batch_start(batch_id bigint, max_rows integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	moment timestamptz := clock_timestamp();
BEGIN
	IF batch_id IS NULL THEN
		RAISE EXCEPTION 'there is no batch without a number' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF coalesce(max_rows, 0) < 1 THEN
		RAISE EXCEPTION 'a chunk needs at least one row' USING ERRCODE = 'invalid_parameter_value', DETAIL = format('max_rows is %s.', coalesce(max_rows::text, 'NULL'));
	END IF;
	INSERT INTO o2o.import_batch (batch_id, started_at) VALUES (identity_batch_start.batch_id, moment) ON CONFLICT DO NOTHING;
	PERFORM FROM o2o.import_batch b WHERE b.batch_id = identity_batch_start.batch_id FOR UPDATE;
	UPDATE o2o.import_batch b SET rows_total = r.rows, rows_done = r.done, rows_failed = r.failed, finished_at = NULL
	FROM (
		SELECT count(*) AS rows, count(i.profile_id) AS done, count(*) FILTER (WHERE i.profile_id IS NULL AND i.outcome IS NOT NULL) AS failed
		FROM o2o.import_identity i WHERE i.batch_id = identity_batch_start.batch_id
	) r
	WHERE b.batch_id = identity_batch_start.batch_id;
END $$;
COMMENT ON FUNCTION o2o.identity_batch_start(bigint, integer) IS 'First step of identity_resolve_batch(): counts the rows of the batch. Errors: 22004 batch_id is NULL, 22023 max_rows below 1.';

CREATE OR REPLACE FUNCTION o2o.import_identity_failed(batch_id bigint, source text, event_id text, problem text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	UPDATE o2o.import_identity r SET outcome = 'failed'
	WHERE r.batch_id = import_identity_failed.batch_id AND r.source = import_identity_failed.source AND r.event_id = import_identity_failed.event_id;
	INSERT INTO o2o.import_problem (batch_id, source, source_id, problem)
	VALUES (import_identity_failed.batch_id, import_identity_failed.source, import_identity_failed.event_id, import_identity_failed.problem)
$$;
COMMENT ON FUNCTION o2o.import_identity_failed(bigint, text, text, text) IS 'Notes that a staged row cannot be taken, and why.';

CREATE OR REPLACE FUNCTION o2o.identity_batch_step(batch_id bigint, max_rows integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
	begun timestamptz := clock_timestamp();
	batch o2o.import_batch;
	bad record;
	taken record;
	size bigint := identity_batch_step.max_rows;
	open bigint := identity_batch_step.max_rows;	-- places left in the chunk
BEGIN
	PERFORM FROM o2o.import_batch b WHERE b.batch_id = identity_batch_step.batch_id FOR UPDATE;
	SELECT * INTO batch FROM o2o.import_batch b WHERE b.batch_id = identity_batch_step.batch_id;
	-- What is known to be bad before it is tried, within the next max_rows.
	FOR bad IN
		SELECT r.source, r.event_id, CASE WHEN s.source IS NULL THEN 'the source is not registered'
			WHEN NOT isfinite(r.occurred_at) THEN 'the time of the event is not finite'
			ELSE 'the traits are no object' END AS problem
		FROM (
			SELECT i.source, i.event_id, i.occurred_at, i.traits
			FROM o2o.import_identity i
			WHERE i.batch_id = identity_batch_step.batch_id AND i.profile_id IS NULL AND i.outcome IS NULL
				AND (i.occurred_at, i.source, i.event_id) > (batch.after_at, batch.after_source, batch.after_event_id)
			ORDER BY i.occurred_at, i.source, i.event_id
			LIMIT identity_batch_step.max_rows
		) r
			LEFT JOIN o2o.source s ON s.source = r.source
		WHERE s.source IS NULL OR NOT isfinite(r.occurred_at) OR jsonb_typeof(r.traits) <> 'object'
	LOOP
		PERFORM o2o.import_identity_failed(identity_batch_step.batch_id, bad.source, bad.event_id, bad.problem);
		batch.rows_failed := batch.rows_failed + 1;
	END LOOP;
	batch.chunks := batch.chunks + 1;
	WHILE open > 0 LOOP
		BEGIN
			SELECT * INTO taken FROM o2o.identity_import_events(identity_batch_step.batch_id, batch.after_at, batch.after_source, batch.after_event_id,
				size, batch.chunks & (batch.chunks - 1) = 0);		-- the tables have doubled
			EXIT WHEN taken.events = 0;
			batch.rows_done := batch.rows_done + taken.events;
		EXCEPTION WHEN data_exception OR integrity_constraint_violation OR SQLSTATE 'O2000' THEN
			-- Halves it until the one row is found that does it.
			IF size > 1 THEN
				size := size / 2;
				CONTINUE;
			END IF;
			SELECT 1::bigint AS events, i.occurred_at AS last_at, i.source AS last_source, i.event_id AS last_event_id INTO taken
			FROM o2o.import_identity i
			WHERE i.batch_id = identity_batch_step.batch_id AND i.profile_id IS NULL AND i.outcome IS NULL
				AND (i.occurred_at, i.source, i.event_id) > (batch.after_at, batch.after_source, batch.after_event_id)
			ORDER BY i.occurred_at, i.source, i.event_id
			LIMIT 1;
			PERFORM o2o.import_identity_failed(identity_batch_step.batch_id, taken.last_source, taken.last_event_id, format('%s: %s', SQLSTATE, SQLERRM));
			batch.rows_failed := batch.rows_failed + 1;
		END;
		batch.after_at := taken.last_at;
		batch.after_source := taken.last_source;
		batch.after_event_id := taken.last_event_id;
		open := open - taken.events;
		size := least(size * 2, open);
	END LOOP;
	-- Rows that came later than their place in the order.
	IF taken.events = 0 AND batch.after_at > '-infinity' AND EXISTS (
			SELECT FROM o2o.import_identity i WHERE i.batch_id = identity_batch_step.batch_id AND i.profile_id IS NULL AND i.outcome IS NULL) THEN
		batch.after_at := '-infinity';
		batch.after_source := '';
		batch.after_event_id := '';
		taken.events := 1;
	END IF;
	UPDATE o2o.import_batch b SET rows_done = batch.rows_done, rows_failed = batch.rows_failed, chunks = batch.chunks,
		worked = b.worked + (clock_timestamp() - begun), after_at = batch.after_at, after_source = batch.after_source, after_event_id = batch.after_event_id,
		last_chunk_at = clock_timestamp(), finished_at = CASE WHEN taken.events = 0 THEN clock_timestamp() END
	WHERE b.batch_id = identity_batch_step.batch_id;
	RETURN taken.events > 0;
END $$;
COMMENT ON FUNCTION o2o.identity_batch_step(bigint, integer) IS 'One chunk of identity_resolve_batch(): the next max_rows open rows of the batch in the order (occurred_at, source, event_id), under the lock of its row in import_batch. Returns whether there may be more. Errors: those of the server, such as 40P01.';

CREATE OR REPLACE FUNCTION o2o.identity_batch_error(batch_id bigint, error text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE o2o.import_batch b SET last_error = identity_batch_error.error, last_error_at = clock_timestamp()
	WHERE b.batch_id = identity_batch_error.batch_id
$$;
COMMENT ON FUNCTION o2o.identity_batch_error(bigint, text) IS 'Notes the error that ends a call of identity_resolve_batch().';

CREATE OR REPLACE PROCEDURE o2o.identity_resolve_batch(batch_id bigint, chunk_rows integer DEFAULT 10000)
LANGUAGE plpgsql AS $$
DECLARE
	is_more boolean := true;
	state text;
	message text;
	detail text;
BEGIN
	PERFORM o2o.identity_batch_start(batch_id, chunk_rows);
	COMMIT;
	WHILE is_more LOOP
		BEGIN
			is_more := o2o.identity_batch_step(batch_id, chunk_rows);
		EXCEPTION WHEN OTHERS THEN
			-- Only noted: it goes on to the caller.
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
		END;
		IF state IS NOT NULL THEN
			PERFORM o2o.identity_batch_error(batch_id, pg_catalog.format('%s: %s', state, message));
			COMMIT;
			RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = CASE WHEN detail OPERATOR(pg_catalog.=) '' THEN pg_catalog.format('Batch %s.', batch_id) ELSE detail END,
				HINT = 'What is done is kept; call identity_resolve_batch() again to go on.';
		END IF;
		COMMIT;
	END LOOP;
END $$;
COMMENT ON PROCEDURE o2o.identity_resolve_batch(bigint, integer) IS 'Backfills history: resolves the rows of a batch in import_identity that are open, under the same rules as identify(), as if they had come one by one in the order (occurred_at, source, event_id). Commits after each chunk of chunk_rows rows, so call it outside a transaction (2D000 inside one). After an error, a cancel or a crash call it again: it goes on behind the last chunk. Two callers take turns, chunk by chunk, and no row is taken twice. Rows staged meanwhile are taken too, those that belong before the place it has reached at the end. Values that are no identifier are noted in import_problem, and the rest of the row is taken; a row that cannot be taken at all (source not registered, time not finite, traits no object, any error of its data) gets the outcome failed and its reason in import_problem, and the rest goes on. The view identity_batch_progress shows how far it is. Errors: 2D000 inside a transaction, 22023 chunk_rows below 1, 22004 batch_id is NULL, those of the server.';
