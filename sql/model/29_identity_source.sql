-- The identity room: member tables that exist and stay as they are. A mapping says
-- which of their columns identify; source_import() identifies what is new or changed.
-- Both run with the rights of their caller: only who may read a table imports it.

CREATE TABLE IF NOT EXISTS o2o.source_table (
	source text NOT NULL PRIMARY KEY REFERENCES o2o.source,
	table_schema name NOT NULL,
	table_name name NOT NULL,
	key_column name NOT NULL,
	changed_column name,
	rows_taken bigint NOT NULL DEFAULT 0,
	problems bigint NOT NULL DEFAULT 0,
	last_batch_id bigint,
	last_rows bigint,
	changed_up_to timestamptz,
	imported_at timestamptz
);
COMMENT ON TABLE o2o.source_table IS 'Tables of other systems in this database whose rows are persons, one a source, and how far source_import() is. The owner writes it with source_map(); the view source_progress shows it.';
COMMENT ON COLUMN o2o.source_table.source IS 'Source; refers to source';
COMMENT ON COLUMN o2o.source_table.table_schema IS 'Schema of the table or view';
COMMENT ON COLUMN o2o.source_table.table_name IS 'Name of the table or view';
COMMENT ON COLUMN o2o.source_table.key_column IS 'Column with the number of the record, each once: ref:<source>/<number>';
COMMENT ON COLUMN o2o.source_table.changed_column IS 'Column with the time of the last change (date or timestamp; without a time zone: in that of the source); NULL: new rows are found, changed ones are not';
COMMENT ON COLUMN o2o.source_table.rows_taken IS 'Rows taken by all calls; changed ones count again';
COMMENT ON COLUMN o2o.source_table.problems IS 'Values that were no identifier, of all calls';
COMMENT ON COLUMN o2o.source_table.last_batch_id IS 'Batch of the last call, in import_problem; NULL: none yet';
COMMENT ON COLUMN o2o.source_table.last_rows IS 'Rows taken by the last call; NULL: none yet';
COMMENT ON COLUMN o2o.source_table.changed_up_to IS 'Latest time of change that was taken; NULL: none yet';
COMMENT ON COLUMN o2o.source_table.imported_at IS 'When the last call was (start of the transaction); NULL: none since source_map()';

CREATE TABLE IF NOT EXISTS o2o.source_column (
	source text NOT NULL REFERENCES o2o.source,
	column_name name NOT NULL,
	role text NOT NULL CHECK (role IN ('identifier', 'trait')),
	name text NOT NULL,
	PRIMARY KEY (source, role, name, column_name)
);
COMMENT ON TABLE o2o.source_column IS 'What the columns of a mapped table say: one row per column and meaning.';
COMMENT ON COLUMN o2o.source_column.source IS 'Source; refers to source_table';
COMMENT ON COLUMN o2o.source_column.column_name IS 'Column of the table';
COMMENT ON COLUMN o2o.source_column.role IS 'identifier or trait';
COMMENT ON COLUMN o2o.source_column.name IS 'Kind of the identifier, refers to identifier_kind; or name of the trait';

CREATE OR REPLACE FUNCTION o2o.source_map(source text, member_table regclass, key_column name,
	identifiers jsonb DEFAULT '{}', traits jsonb DEFAULT '{}', changed_column name DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	absent text;
BEGIN
	DELETE FROM o2o.source_column c WHERE c.source = source_map.source;
	INSERT INTO o2o.source_column (source, column_name, role, name)
	SELECT source_map.source, v.v #>> '{}', r.role, j.key
	FROM (VALUES ('identifier', identifiers), ('trait', traits)) r (role, columns),
		jsonb_each(r.columns) j, jsonb_array_elements(CASE jsonb_typeof(j.value) WHEN 'array' THEN j.value ELSE jsonb_build_array(j.value) END) v (v);
	SELECT c.name INTO absent
	FROM (SELECT key_column AS name UNION ALL SELECT changed_column UNION ALL SELECT s.column_name FROM o2o.source_column s WHERE s.source = source_map.source) c
	WHERE c.name IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_attribute a WHERE a.attrelid = member_table AND a.attname = c.name AND a.attnum > 0 AND NOT a.attisdropped)
	ORDER BY c.name LIMIT 1;
	IF absent IS NOT NULL THEN
		RAISE EXCEPTION 'there is no such column' USING ERRCODE = 'undefined_column', DETAIL = format('Table %s, column %s.', member_table, absent),
			HINT = 'identifiers goes from kind to column, traits from name to column.';
	ELSIF changed_column IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_attribute a WHERE a.attrelid = member_table AND a.attname = changed_column
			AND a.atttypid IN ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype)) THEN
		RAISE EXCEPTION 'the column with the time of change must be a date or a timestamp'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Column %s.', changed_column);
	END IF;
	INSERT INTO o2o.source_table AS t (source, table_schema, table_name, key_column, changed_column)
	SELECT source_map.source, c.relnamespace::regnamespace::name, c.relname, source_map.key_column, source_map.changed_column
	FROM pg_class c WHERE c.oid = member_table
	ON CONFLICT ON CONSTRAINT source_table_pkey DO UPDATE SET table_schema = excluded.table_schema, table_name = excluded.table_name,
		key_column = excluded.key_column, changed_column = excluded.changed_column, changed_up_to = NULL, imported_at = NULL;
END $$;
COMMENT ON FUNCTION o2o.source_map(text, regclass, name, jsonb, jsonb, name) IS 'Says what the columns of an existing member table (or view) mean, in place of what was said before (then the next source_import() takes all rows again); the table stays as it is. source: registered, one table each; key_column: the number of the record, each once; identifiers: an object of kind and column, or array of columns, such as {"phone": ["mobile", "tel"]}; traits: an object of name and column; changed_column: when the row was changed last, by which source_import() finds changed rows. For the owner of the model alone. Errors: 42703 no such column, 22023 changed_column is no date or timestamp, 23503 the source is not registered, 42501 not the owner.';

CREATE OR REPLACE VIEW o2o.source_progress AS
SELECT t.source, t.table_schema::text AS table_schema, t.table_name::text AS table_name, t.key_column::text AS key_column, t.changed_column::text AS changed_column,
	s.time_zone, t.rows_taken, t.problems, t.last_batch_id, t.last_rows, t.changed_up_to, t.imported_at
FROM o2o.source_table t JOIN o2o.source s ON s.source = t.source;
COMMENT ON VIEW o2o.source_progress IS 'Mapped member tables and how far source_import() is, one row per source. Live.';
COMMENT ON COLUMN o2o.source_progress.source IS 'Source';
COMMENT ON COLUMN o2o.source_progress.table_schema IS 'Schema of the table or view';
COMMENT ON COLUMN o2o.source_progress.table_name IS 'Name of the table or view';
COMMENT ON COLUMN o2o.source_progress.key_column IS 'Column with the number of the record';
COMMENT ON COLUMN o2o.source_progress.changed_column IS 'Column with the time of the last change; NULL: none';
COMMENT ON COLUMN o2o.source_progress.time_zone IS 'IANA time zone of the source, of times without one';
COMMENT ON COLUMN o2o.source_progress.rows_taken IS 'Rows taken by all calls; changed ones count again';
COMMENT ON COLUMN o2o.source_progress.problems IS 'Values that were no identifier, of all calls';
COMMENT ON COLUMN o2o.source_progress.last_batch_id IS 'Batch of the last call, in import_problem; NULL: none yet';
COMMENT ON COLUMN o2o.source_progress.last_rows IS 'Rows taken by the last call; NULL: none yet';
COMMENT ON COLUMN o2o.source_progress.changed_up_to IS 'Latest time of change that was taken; NULL: none yet';
COMMENT ON COLUMN o2o.source_progress.imported_at IS 'When the last call was (start of the transaction); NULL: none since source_map()';

CREATE OR REPLACE FUNCTION o2o.source_import_note(source text, batch_id bigint, taken bigint, problems bigint, changed_up_to timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE o2o.source_table t
	SET rows_taken = t.rows_taken + source_import_note.taken, problems = t.problems + source_import_note.problems,
		last_batch_id = source_import_note.batch_id, last_rows = source_import_note.taken,
		changed_up_to = greatest(t.changed_up_to, source_import_note.changed_up_to), imported_at = now()
	WHERE t.source = source_import_note.source
$$;
COMMENT ON FUNCTION o2o.source_import_note(text, bigint, bigint, bigint, timestamptz) IS 'Notes how far source_import() is: its batch, rows taken, problems, and the latest time of change. It is the one thing for which that function needs more than its caller''s rights.';

CREATE OR REPLACE FUNCTION o2o.source_import(source text, OUT batch_id bigint, OUT taken bigint, OUT problems bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	map record;
	changed_at text;
	identifier_list text;
	trait_list text;
	newest timestamptz;
BEGIN
	SELECT * INTO map FROM o2o.source_progress p WHERE p.source = source_import.source;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'no table is mapped to the source'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Source %s.', coalesce(source, 'NULL')), HINT = 'The owner maps one with o2o.source_map().';
	END IF;
	SELECT string_agg(format('%L, jsonb_build_array(%s)', k.name, k.columns), ', ' ORDER BY k.name) INTO identifier_list
	FROM (
		SELECT c.name, string_agg(format('t.%I::text', c.column_name), ', ' ORDER BY c.column_name) AS columns
		FROM o2o.source_column c WHERE c.source = source_import.source AND c.role = 'identifier' GROUP BY c.name
	) k;
	SELECT string_agg(format('%L, t.%I::text', c.name, c.column_name), ', ' ORDER BY c.name) INTO trait_list
	FROM o2o.source_column c WHERE c.source = source_import.source AND c.role = 'trait';
	-- A time without a zone is one of the source, whatever the session's is.
	changed_at := CASE WHEN map.changed_column IS NULL THEN 'NULL::timestamptz'
		WHEN EXISTS (
			SELECT FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid JOIN pg_namespace n ON n.oid = r.relnamespace
			WHERE n.nspname = map.table_schema AND r.relname = map.table_name AND a.attname = map.changed_column AND a.atttypid = 'timestamptz'::regtype)
		THEN format('t.%I', map.changed_column) ELSE format('timezone(%L, t.%I::timestamp)', map.time_zone, map.changed_column) END;
	batch_id := -pg_current_xact_id()::text::bigint;
	EXECUTE format(
		'INSERT INTO o2o.import_identity (batch_id, source, event_id, occurred_at, identifiers, traits)
		SELECT $1, $2, t.%1$I::text, CASE WHEN x.at < now() AND isfinite(x.at) THEN x.at ELSE now() END,
			jsonb_build_object(''ref'', $2 || ''/'' || t.%1$I::text) || jsonb_strip_nulls(jsonb_build_object(%2$s)), jsonb_strip_nulls(jsonb_build_object(%3$s))
		FROM %4$I.%5$I t CROSS JOIN LATERAL (SELECT %6$s) x (at)
		WHERE t.%1$I IS NOT NULL AND ($4 OR x.at >= coalesce($3 - interval ''1 hour'', ''-infinity'')
			OR NOT EXISTS (SELECT FROM o2o.customer_ref c WHERE c.source = $2 AND c.source_id = t.%1$I::text))',
		map.key_column, coalesce(identifier_list, ''), coalesce(trait_list, ''), map.table_schema, map.table_name, changed_at)
	USING batch_id, source, map.changed_up_to, map.imported_at IS NULL;
	GET DIAGNOSTICS taken = ROW_COUNT;
	-- What has no time, or one of the future, was given now().
	SELECT max(i.occurred_at) INTO newest FROM o2o.import_identity i WHERE i.batch_id = source_import.batch_id AND i.occurred_at < now();
	PERFORM o2o.identity_import(batch_id);
	SELECT count(*) INTO problems FROM o2o.import_problem p WHERE p.batch_id = source_import.batch_id;
	DELETE FROM o2o.import_identity i WHERE i.batch_id = source_import.batch_id;
	PERFORM o2o.source_import_note(source, batch_id, taken, problems, CASE WHEN map.changed_column IS NOT NULL THEN newest END);
END $$;
COMMENT ON FUNCTION o2o.source_import(text) IS 'Identifies the rows of the table mapped to a source that are new (no ref:<source>/<number> is known) or were changed since the last call, by the rules of identity_import(), and records their traits. Reads the table with the rights of the caller, who needs SELECT on it. Rows changed within the hour before the latest one taken are taken again, as a transaction may commit later than the time it wrote; that changes nothing. One transaction: what fails is taken by the next call. Returns batch_id (for import_problem), rows taken, and problems, values that were no identifier; the rest of such a row is taken. Errors: 22023 no table is mapped, 42501 no right to read it, 42P01 or 42703 it has changed, 23505 a key twice.';
