-- The stores room: registering places from JSON, CSV and GeoJSON. Each row is checked by itself first, so that an error
-- can name it; then all are written, or none.

CREATE OR REPLACE FUNCTION o2o.location_word_list(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
	SELECT CASE jsonb_typeof(location_word_list.value)
		WHEN 'string' THEN (SELECT coalesce(jsonb_agg(btrim(w.word)), '[]') FROM regexp_split_to_table(location_word_list.value #>> '{}', '[|;]') w (word) WHERE btrim(w.word) <> '')
		ELSE location_word_list.value END
$$;
COMMENT ON FUNCTION o2o.location_word_list(jsonb) IS 'A list of words for location_import(): an array as it is, or a text split at | and ;.';

CREATE OR REPLACE FUNCTION o2o.location_row(item jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	checked jsonb := item;
	field text;
	entry jsonb;
	parsed jsonb;
	bad text;
BEGIN
	IF jsonb_typeof(item) <> 'object' THEN
		RAISE EXCEPTION 'not an object' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT string_agg(k.key, ', ' ORDER BY k.key) INTO bad
	FROM jsonb_object_keys(item) k (key)
	WHERE k.key NOT IN ('row', 'source', 'source_id', 'name', 'kind', 'organisation', 'parent', 'roles', 'services', 'lon', 'lat', 'attractiveness',
		'time_zone', 'address', 'city', 'region', 'country', 'opened_on', 'closed_on', 'hours', 'exceptions', 'areas');
	IF bad IS NOT NULL THEN
		RAISE EXCEPTION 'unknown keys: %', bad USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF item ->> 'source' IS NULL OR NOT EXISTS (SELECT FROM o2o.source s WHERE s.source = item ->> 'source') THEN
		RAISE EXCEPTION 'unknown source "%"', coalesce(item ->> 'source', 'null') USING ERRCODE = 'O2101';
	END IF;
	FOREACH field IN ARRAY '{source_id,name}'::text[] LOOP
		IF coalesce(item ->> field, '') = '' THEN
			RAISE EXCEPTION '% is missing', field USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END LOOP;
	IF item ->> 'kind' NOT IN ('chain', 'region', 'store', 'counter', 'warehouse') THEN
		RAISE EXCEPTION 'kind "%" is none of chain, region, store, counter, warehouse', item ->> 'kind' USING ERRCODE = 'invalid_parameter_value';
	ELSIF item ->> 'organisation' IS NOT NULL AND NOT EXISTS (SELECT FROM o2o.organisation g WHERE g.code = item ->> 'organisation') THEN
		RAISE EXCEPTION 'unknown organisation "%"', item ->> 'organisation' USING ERRCODE = 'invalid_parameter_value';
	ELSIF (item ->> 'lon' IS NULL) <> (item ->> 'lat' IS NULL) THEN
		RAISE EXCEPTION 'lon and lat belong together' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOREACH field IN ARRAY '{lon,lat,attractiveness,opened_on,closed_on,roles,services,hours,exceptions,areas}'::text[] LOOP
		IF item ->> field IS NULL THEN
			CONTINUE;
		END IF;
		BEGIN
			CASE
				WHEN field = 'lon' THEN PERFORM o2o.geopoint((item ->> 'lon')::double precision, 0);
				WHEN field = 'lat' THEN PERFORM o2o.geopoint(0, (item ->> 'lat')::double precision);
				WHEN field = 'attractiveness' THEN
					IF NOT ((item ->> field)::double precision > 0 AND (item ->> field)::double precision < 'infinity') THEN
						RAISE EXCEPTION 'must be above zero' USING ERRCODE = 'invalid_parameter_value';
					END IF;
				WHEN field IN ('opened_on', 'closed_on') THEN
					IF NOT isfinite((item ->> field)::date) THEN
						RAISE EXCEPTION 'must be a day' USING ERRCODE = 'invalid_parameter_value';
					ELSIF field = 'closed_on' AND (item ->> 'closed_on')::date < (item ->> 'opened_on')::date THEN
						RAISE EXCEPTION 'must not be before opened_on' USING ERRCODE = 'invalid_parameter_value';
					END IF;
				WHEN field IN ('roles', 'services') THEN
					checked := checked || jsonb_build_object(field, o2o.location_word_list(item -> field));
				WHEN field = 'hours' AND jsonb_typeof(item -> field) = 'string' THEN
					parsed := o2o.hours_parse(item ->> field);
					checked := checked || jsonb_build_object('hours', parsed -> 'hours') || CASE
						WHEN parsed -> 'exceptions' <> '[]' AND item ->> 'exceptions' IS NULL THEN jsonb_build_object('exceptions', parsed -> 'exceptions') ELSE '{}' END;
				WHEN field = 'exceptions' AND jsonb_typeof(item -> field) = 'string' THEN
					checked := checked || jsonb_build_object('exceptions', o2o.hours_parse(item ->> field) -> 'exceptions');
				WHEN field = 'areas' AND jsonb_typeof(item -> field) = 'string' THEN
					checked := checked || jsonb_build_object('areas', (SELECT jsonb_agg(CASE WHEN w.word ~ '\s'
							THEN jsonb_build_object('service', split_part(w.word, ' ', 1), 'radius_m', (regexp_replace(w.word, '^\S+\s+', ''))::double precision)
							ELSE jsonb_build_object('radius_m', w.word::double precision) END)
						FROM jsonb_array_elements_text(o2o.location_word_list(item -> field)) w (word)));
				ELSE NULL;
			END CASE;
			IF field IN ('roles', 'services', 'hours', 'exceptions', 'areas') AND jsonb_typeof(checked -> field) <> 'array' THEN
				RAISE EXCEPTION 'must be an array' USING ERRCODE = 'invalid_parameter_value';
			ELSIF field IN ('roles', 'services') AND jsonb_path_exists(checked -> field, '$[*] ? (@.type() != "string")') THEN
				RAISE EXCEPTION 'must be words' USING ERRCODE = 'invalid_parameter_value';
			ELSIF field NOT IN ('hours', 'exceptions', 'areas') THEN
				CONTINUE;
			END IF;
			FOR entry IN SELECT e.value FROM jsonb_array_elements(checked -> field) e LOOP
				CASE field
					WHEN 'hours' THEN
						IF (entry ->> 'opens')::time IS NULL OR (entry ->> 'closes')::time IS NULL OR jsonb_typeof(entry -> 'weekday') IS NULL OR EXISTS (
								SELECT FROM jsonb_array_elements_text(CASE jsonb_typeof(entry -> 'weekday') WHEN 'array' THEN entry -> 'weekday' ELSE jsonb_build_array(entry -> 'weekday') END) d (weekday)
								WHERE coalesce(d.weekday::smallint NOT BETWEEN 1 AND 7, true)) THEN
							RAISE EXCEPTION 'an interval needs weekday (1 to 7), opens and closes' USING ERRCODE = 'invalid_parameter_value';
						ELSIF (entry ->> 'opens')::time(0) <> (entry ->> 'opens')::time OR (entry ->> 'closes')::time(0) <> (entry ->> 'closes')::time THEN
							RAISE EXCEPTION 'weekly hours are whole seconds' USING ERRCODE = 'invalid_parameter_value';
						END IF;
					WHEN 'exceptions' THEN
						IF NOT coalesce(isfinite((entry ->> 'day')::date), false) OR ((entry ->> 'opens')::time IS NULL) <> ((entry ->> 'closes')::time IS NULL) THEN
							RAISE EXCEPTION 'an exception needs day, and opens and closes both or neither' USING ERRCODE = 'invalid_parameter_value';
						END IF;
					WHEN 'areas' THEN
						IF (entry -> 'area' IS NULL OR entry -> 'area' = 'null') = (entry ->> 'radius_m' IS NULL) THEN
							RAISE EXCEPTION 'an area is either a radius_m or a polygon (area)' USING ERRCODE = 'check_violation';
						ELSIF NOT coalesce((entry ->> 'radius_m')::double precision >= 0 AND (entry ->> 'radius_m')::double precision < 'infinity', true) THEN
							RAISE EXCEPTION 'radius_m must be zero or more and finite' USING ERRCODE = 'check_violation';
						END IF;
						PERFORM o2o.geo_polygon(nullif(entry -> 'area', 'null'));
				END CASE;
			END LOOP;
			SELECT d.what INTO bad FROM (
				SELECT format('weekday %s opens twice at %s', w.weekday, min(h.value ->> 'opens')) AS what
				FROM jsonb_array_elements(CASE field WHEN 'hours' THEN checked -> field ELSE '[]' END) h
					CROSS JOIN jsonb_array_elements_text(CASE jsonb_typeof(h.value -> 'weekday') WHEN 'array' THEN h.value -> 'weekday' ELSE jsonb_build_array(h.value -> 'weekday') END) w (weekday)
				GROUP BY w.weekday, (h.value ->> 'opens')::time HAVING count(*) > 1
				UNION ALL
				SELECT format('day %s %s', e.day, CASE WHEN count(*) > count(e.opens) THEN 'is closed, but stands twice' ELSE 'opens twice at ' || mode() WITHIN GROUP (ORDER BY e.opens) END)
				FROM jsonb_to_recordset(CASE field WHEN 'exceptions' THEN checked -> field ELSE '[]' END) e (day date, opens time)
				GROUP BY e.day HAVING count(*) > count(DISTINCT e.opens) AND count(*) > 1
				UNION ALL
				SELECT format('service %s has two areas', coalesce(a.value ->> 'service', 'delivery')) FROM jsonb_array_elements(CASE field WHEN 'areas' THEN checked -> field ELSE '[]' END) a
				GROUP BY coalesce(a.value ->> 'service', 'delivery') HAVING count(*) > 1) d LIMIT 1;
			IF FOUND THEN
				RAISE EXCEPTION '%', bad USING ERRCODE = 'invalid_parameter_value';
			END IF;
		EXCEPTION
			WHEN data_exception OR check_violation OR internal_error THEN
				GET STACKED DIAGNOSTICS bad = CONSTRAINT_NAME;
				RAISE EXCEPTION '%: %', field, o2o.geopolygon_problem(bad, SQLERRM) USING ERRCODE = CASE SQLSTATE WHEN 'XX000' THEN '22023' ELSE SQLSTATE END;
		END;
	END LOOP;
	RETURN checked;
END $$;
COMMENT ON FUNCTION o2o.location_row(jsonb) IS 'One place for location_import(), checked, with its texts taken apart: lists of words, opening hours, areas. Errors: as location_import(), without the row.';

CREATE OR REPLACE FUNCTION o2o.location_import(rows jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	row record;
	checked jsonb[] := '{}';
	problems text[] := '{}';
	first_state text;
	unknown_zones text[];
	unknown_parents text[];
	circle bigint[];
	written bigint;
BEGIN
	IF jsonb_typeof(location_import.rows) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION 'locations must be a JSON array of objects' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	-- asked once: the server reads all its files of time zones for the first, and all places for the second
	unknown_zones := ARRAY(SELECT DISTINCT r.item ->> 'time_zone' FROM jsonb_array_elements(location_import.rows) r (item) WHERE r.item ->> 'time_zone' IS NOT NULL
		EXCEPT SELECT z.name FROM pg_timezone_names z);
	unknown_parents := ARRAY(SELECT DISTINCT r.item ->> 'parent' FROM jsonb_array_elements(location_import.rows) r (item) WHERE r.item ->> 'parent' IS NOT NULL
		EXCEPT SELECT l.source || '/' || l.source_id FROM o2o.location l
		EXCEPT SELECT (p.item ->> 'source') || '/' || (p.item ->> 'source_id') FROM jsonb_array_elements(location_import.rows) p (item));
	FOR row IN
		SELECT r.item, r.n, CASE jsonb_typeof(r.item) WHEN 'object' THEN coalesce(r.item ->> 'row', 'row ' || r.n)
				|| coalesce(format(' (%s/%s)', r.item ->> 'source', r.item ->> 'source_id'), '') ELSE 'row ' || r.n END AS name,
			r.item ->> 'source_id' IS NOT NULL AND count(*) OVER (PARTITION BY r.item ->> 'source', r.item ->> 'source_id') > 1 AS is_twice
		FROM jsonb_array_elements(location_import.rows) WITH ORDINALITY r (item, n)
		ORDER BY r.n
	LOOP
		BEGIN
			checked := checked || o2o.location_row(row.item);
			IF row.is_twice THEN
				RAISE EXCEPTION 'more than one row of this place' USING ERRCODE = 'invalid_parameter_value';
			ELSIF row.item ->> 'time_zone' = ANY (unknown_zones) THEN
				RAISE EXCEPTION 'unknown time zone "%"', row.item ->> 'time_zone' USING ERRCODE = 'invalid_parameter_value';
			ELSIF row.item ->> 'parent' = ANY (unknown_parents) THEN
				RAISE EXCEPTION 'parent: unknown location "%"', row.item ->> 'parent' USING ERRCODE = 'O2103';
			END IF;
		EXCEPTION
			WHEN data_exception OR check_violation OR SQLSTATE 'O2101' OR SQLSTATE 'O2103' THEN
				problems := problems || format('%s: %s', row.name, SQLERRM);
				first_state := coalesce(first_state, SQLSTATE);
		END;
	END LOOP;
	IF first_state IS NOT NULL THEN
		RAISE EXCEPTION '%', problems[1] USING ERRCODE = first_state,
			DETAIL = CASE WHEN cardinality(problems) > 1 THEN format(E'%s rows cannot be taken. The next ones:\n%s', cardinality(problems), array_to_string(problems[2:20], E'\n')) ELSE 'It is the only row that cannot be taken.' END,
			HINT = 'Nothing was imported. ' || CASE first_state WHEN 'O2101' THEN 'Register the source with o2o.source_register().'
				WHEN 'O2103' THEN 'Name the parent by <source>/<source_id>, of these rows or registered before.' ELSE 'Correct these rows and import all of them again.' END
				|| CASE WHEN cardinality(unknown_zones) > 0 THEN ' Time zones have names of IANA, such as America/Chicago; pg_timezone_names lists them.' ELSE '' END;
	END IF;

	INSERT INTO o2o.location AS l (organisation_id, source, source_id, name, kind, roles, services, position, attractiveness, time_zone,
		week_hours, address, city, region, country, opened_on, closed_on)
	SELECT g.organisation_id, r.source, r.source_id, r.name, coalesce(r.kind, 'store'),
		coalesce(r.roles, CASE r.kind WHEN 'warehouse' THEN '{warehouse}'::text[] ELSE '{shop}' END), coalesce(r.services, '{}'),
		o2o.geopoint(r.lon, r.lat), coalesce(r.attractiveness, 1),
		coalesce(r.time_zone, s.time_zone), coalesce(o2o.week_hours(r.hours), '{}'), r.address, r.city, r.region, r.country, r.opened_on, r.closed_on
	FROM jsonb_to_recordset(to_jsonb(checked)) r (source text, source_id text, name text, kind text, organisation text,
			roles text[], services text[], lon double precision, lat double precision, attractiveness double precision, time_zone text,
			hours jsonb, address text, city text, region text, country text, opened_on date, closed_on date)
		JOIN o2o.source s ON s.source = r.source
		LEFT JOIN o2o.organisation g ON g.code = r.organisation
	ORDER BY r.source, r.source_id
	ON CONFLICT (source, source_id) DO UPDATE SET organisation_id = excluded.organisation_id, name = excluded.name,
		kind = excluded.kind, roles = excluded.roles, services = excluded.services, position = excluded.position,
		attractiveness = excluded.attractiveness, time_zone = excluded.time_zone, address = excluded.address, city = excluded.city,
		region = excluded.region, country = excluded.country, opened_on = excluded.opened_on, closed_on = excluded.closed_on;
	GET DIAGNOSTICS written = ROW_COUNT;

	UPDATE o2o.location l SET week_hours = w.week_hours
	FROM unnest(checked) r (item) CROSS JOIN LATERAL (SELECT coalesce(o2o.week_hours(nullif(r.item -> 'hours', 'null')), '{}') AS week_hours) w
	WHERE r.item ? 'hours' AND l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id' AND l.week_hours <> w.week_hours;

	UPDATE o2o.location l SET parent_location_id = parent.location_id
	FROM jsonb_to_recordset(to_jsonb(checked)) r (source text, source_id text, parent text)
		LEFT JOIN o2o.location parent ON parent.source || '/' || parent.source_id = r.parent
	WHERE l.source = r.source AND l.source_id = r.source_id
		AND l.parent_location_id IS DISTINCT FROM parent.location_id;
	-- a circle among rows of which each alone is right
	WITH RECURSIVE up AS (
		SELECT l.location_id, l.parent_location_id AS at
		FROM jsonb_to_recordset(to_jsonb(checked)) r (source text, source_id text, parent text) JOIN o2o.location l ON l.source = r.source AND l.source_id = r.source_id
		WHERE r.parent IS NOT NULL
		UNION
		SELECT u.location_id, l.parent_location_id
		FROM up u JOIN o2o.location l ON l.location_id = u.at
		WHERE u.at <> u.location_id AND l.parent_location_id IS NOT NULL
	)
	SELECT array_agg(u.location_id) INTO circle FROM up u WHERE u.at = u.location_id;
	IF circle IS NOT NULL THEN
		SELECT format('%s (%s/%s)', coalesce(r.item ->> 'row', 'row ' || r.n), l.source, l.source_id) AS name INTO row
		FROM unnest(checked) WITH ORDINALITY r (item, n) JOIN o2o.location l ON l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		WHERE l.location_id = ANY (circle) ORDER BY r.n LIMIT 1;
		RAISE EXCEPTION '%: parent: a place cannot be part of itself', row.name USING ERRCODE = 'invalid_parameter_value',
			DETAIL = 'Its parent, or the parent of that and so on, is the place itself.', HINT = 'Nothing was imported. Correct these rows and import all of them again.';
	END IF;

	DELETE FROM o2o.location_hours_exception e
	USING unnest(checked) r (item), o2o.location l
	WHERE r.item ? 'exceptions' AND l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		AND e.location_id = l.location_id;
	INSERT INTO o2o.location_hours_exception (location_id, day, interval_no, opens, closes, note)
	SELECT l.location_id, e.day, row_number() OVER (PARTITION BY l.location_id, e.day ORDER BY e.opens), e.opens, e.closes, e.note
	FROM unnest(checked) r (item)
		JOIN o2o.location l ON l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		CROSS JOIN jsonb_to_recordset(CASE jsonb_typeof(r.item -> 'exceptions') WHEN 'array' THEN r.item -> 'exceptions' ELSE '[]' END) e (day date, opens time, closes time, note text);

	DELETE FROM o2o.location_area a
	USING unnest(checked) r (item), o2o.location l
	WHERE r.item ? 'areas' AND l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		AND a.location_id = l.location_id;
	INSERT INTO o2o.location_area (location_id, service, radius_m, area)
	SELECT l.location_id, coalesce(a.service, 'delivery'), a.radius_m, o2o.geo_polygon(a.area)
	FROM unnest(checked) r (item)
		JOIN o2o.location l ON l.source = r.item ->> 'source' AND l.source_id = r.item ->> 'source_id'
		CROSS JOIN jsonb_to_recordset(CASE jsonb_typeof(r.item -> 'areas') WHEN 'array' THEN r.item -> 'areas' ELSE '[]' END) a (service text, radius_m double precision, area jsonb);
	RETURN written;
END $$;
COMMENT ON FUNCTION o2o.location_import(jsonb) IS 'Registers places, or replaces their rows, from a JSON array of objects: source, source_id, name, and optionally kind (default store), organisation (code), parent (<source>/<source_id>), roles, services (arrays, or a text with | between the words), lon and lat (degrees, WGS84), attractiveness (default 1), time_zone (IANA, default: the source''s), address, city, region, country, opened_on, closed_on, hours ([{"weekday": 1 or [1,2,3], "opens": "09:00", "closes": "21:00"}], or a text as hours_parse() takes it), exceptions ([{"day": "2026-12-25", "opens": null, "closes": null, "note": "…"}], or such a text; several intervals of a day are several objects), areas ([{"service": "delivery", "radius_m": 3000}, {"service": "repair", "area": GeoJSON polygon}], or a text such as delivery 3000|repair 20000; service defaults to delivery), row (what errors call it; default: row and its number). hours, exceptions and areas replace what was there when the key is present. All rows or none: the first row that cannot be taken is named in the message, up to 19 more in the detail. Returns the number of places. Errors: O2101 unknown source, O2103 unknown parent, 22023 unknown key, kind, organisation or time zone, something missing or twice, closed_on before opened_on, a place that would be part of itself, 22P02, 22003, 22007 or 22008 no number, position, date or time, 23514 an area that is neither a radius nor a valid polygon.';

CREATE OR REPLACE FUNCTION o2o.location_mapped(item jsonb, columns jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	mapped jsonb;
	target record;
	part text;
	value text;
	has_value boolean;
BEGIN
	SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}') INTO mapped
	FROM jsonb_each(item) e
	WHERE e.value <> 'null' AND e.key IN ('source_id', 'name', 'kind', 'organisation', 'parent', 'roles', 'services', 'lon', 'lat', 'attractiveness',
		'time_zone', 'address', 'city', 'region', 'country', 'opened_on', 'closed_on', 'hours', 'exceptions', 'areas', 'service');
	FOR target IN SELECT c.key, c.value AS template FROM jsonb_each_text(location_mapped.columns) c LOOP
		value := target.template;
		has_value := value !~ '\{[^{}]+\}';
		FOR part IN SELECT DISTINCT m[1] FROM regexp_matches(target.template, '\{([^{}]+)\}', 'g') m LOOP
			has_value := has_value OR item ->> part IS NOT NULL;
			value := replace(value, '{' || part || '}', coalesce(item ->> part, ''));
		END LOOP;
		mapped := mapped - target.key || CASE WHEN has_value THEN jsonb_build_object(target.key, value) ELSE '{}' END;
	END LOOP;
	RETURN mapped;
END $$;
COMMENT ON FUNCTION o2o.location_mapped(jsonb, jsonb) IS 'A record of a file as location_import() takes it: what has one of its names, and for each key of columns its text with {name} replaced by that column''s value; nothing where all of these are empty or not there.';

CREATE OR REPLACE FUNCTION o2o.location_columns_check(columns jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF jsonb_typeof(location_columns_check.columns) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'what the columns mean is not an object of JSON' USING ERRCODE = 'invalid_parameter_value',
			HINT = 'Write it as {"source_id": "{store_id}"}.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.location_columns_check(jsonb) IS 'Refuses what location_import_csv() and location_import_geojson() cannot take to say what columns or properties mean. Error: 22023 no object.';

CREATE OR REPLACE FUNCTION o2o.location_import_csv(csv text, source text, columns jsonb DEFAULT '{}', delimiter text DEFAULT ',') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	header text[];
	missing text;
	line record;
	items jsonb[] := '{}';
BEGIN
	IF location_import_csv.csv IS NULL OR location_import_csv.delimiter IS NULL THEN
		RAISE EXCEPTION 'places need a text in CSV and its delimiter' USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM o2o.location_columns_check(location_import_csv.columns);
	FOR line IN SELECT c.line, c.fields FROM o2o.csv_rows(location_import_csv.csv, location_import_csv.delimiter) c LOOP
		IF header IS NULL THEN
			header := line.fields;
			IF array_position(header, NULL) IS NOT NULL OR cardinality(header) <> (SELECT count(DISTINCT h) FROM unnest(header) h) THEN
				RAISE EXCEPTION 'line %: the columns of the header need different names', line.line USING ERRCODE = 'bad_copy_file_format',
					DETAIL = array_to_string(header, ', ', '(none)');
			END IF;
			SELECT string_agg(DISTINCT m.found[1], ', ') INTO missing
			FROM jsonb_each_text(location_import_csv.columns) c, regexp_matches(c.value, '\{([^{}]+)\}', 'g') m (found) WHERE m.found[1] <> ALL (header);
			IF missing IS NOT NULL THEN
				RAISE EXCEPTION 'the header has no column %', missing USING ERRCODE = 'invalid_parameter_value',
					DETAIL = format('Its columns: %s.', array_to_string(header, ', '));
			END IF;
			SELECT string_agg(needed.key, ', ') INTO missing
			FROM unnest('{source_id,name}'::text[]) needed (key) WHERE needed.key <> ALL (header) AND NOT location_import_csv.columns ? needed.key;
			IF missing IS NOT NULL THEN
				RAISE EXCEPTION 'no column says %', missing USING ERRCODE = 'invalid_parameter_value',
					DETAIL = format('Its columns: %s.', array_to_string(header, ', ')),
					HINT = 'Say which column it is, as in columns => ''{"source_id": "{store_id}"}''.';
			END IF;
			CONTINUE;
		ELSIF cardinality(line.fields) <> cardinality(header) THEN
			RAISE EXCEPTION 'line %: % fields, but the header has %', line.line, cardinality(line.fields), cardinality(header) USING ERRCODE = 'bad_copy_file_format',
				HINT = 'Nothing was imported. Fields with a delimiter in them need quotes.';
		END IF;
		items := items || (o2o.location_mapped(jsonb_object(header, line.fields), location_import_csv.columns) - 'service'
			|| jsonb_build_object('source', location_import_csv.source, 'row', 'line ' || line.line));
	END LOOP;
	IF header IS NULL THEN
		RAISE EXCEPTION 'the text has no header' USING ERRCODE = 'bad_copy_file_format', DETAIL = 'It is empty.';
	END IF;
	RETURN o2o.location_import(to_jsonb(items));
END $$;
COMMENT ON FUNCTION o2o.location_import_csv(text, text, jsonb, text) IS 'Registers places, or replaces their rows, from the text of a CSV file with a header, as location_import() does. Columns with the names of its keys are taken; other columns are left out unless columns names them: an object of key and text, in which {column} stands for the column''s value, such as {"source_id": "{store_id}", "kind": "store", "hours": "Mo-Fr {open}-{close}"}. roles and services are words with | between them, hours and exceptions texts as hours_parse() takes them, areas such as delivery 3000|repair 20000. delimiter is one byte. For anything else rearrange the rows of csv_rows() and call location_import(). All rows or none, errors name the line. Returns the number of places. Errors: 22P04 broken CSV, nothing in it, or a line with more or fewer fields than the header, 22004 no text or delimiter, 22023 no such column, or none for source_id or name; those of location_import().';

CREATE OR REPLACE FUNCTION o2o.location_import_geojson(geojson jsonb, source text, properties jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	features jsonb := CASE location_import_geojson.geojson ->> 'type' WHEN 'FeatureCollection' THEN location_import_geojson.geojson -> 'features'
		WHEN 'Feature' THEN jsonb_build_array(location_import_geojson.geojson) END;
	feature record;
	item jsonb;
	items jsonb[] := '{}';
	areas jsonb[] := '{}';
	area record;
	place bigint;
	detail text;
	written bigint := 0;
BEGIN
	IF jsonb_typeof(features) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION 'neither a FeatureCollection nor a Feature of GeoJSON' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM o2o.location_columns_check(location_import_geojson.properties);
	FOR feature IN SELECT f.item -> 'geometry' AS geometry, f.item ->> 'id' AS id, CASE jsonb_typeof(f.item -> 'properties') WHEN 'object' THEN f.item -> 'properties' ELSE '{}' END AS properties, f.n
		FROM jsonb_array_elements(features) WITH ORDINALITY f (item, n) ORDER BY f.n
	LOOP
		item := jsonb_build_object('source_id', feature.id) || o2o.location_mapped(feature.properties, location_import_geojson.properties)
			|| jsonb_build_object('source', location_import_geojson.source, 'row', 'feature ' || feature.n);
		BEGIN
			PERFORM o2o.geojson_checked(coalesce(feature.geometry, 'null'));
		EXCEPTION
			WHEN invalid_parameter_value THEN
				GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
				RAISE EXCEPTION 'feature %: %', feature.n, SQLERRM USING ERRCODE = 'invalid_parameter_value', DETAIL = detail,
					HINT = 'Nothing was imported. A place is a Point, its service area a Polygon or MultiPolygon.';
		END;
		IF feature.geometry ->> 'type' = 'Point' THEN
			items := items || (item - 'service' || jsonb_build_object('lon', feature.geometry -> 'coordinates' -> 0, 'lat', feature.geometry -> 'coordinates' -> 1));
		ELSE
			areas := areas || (item || jsonb_build_object('area', feature.geometry));
		END IF;
	END LOOP;
	written := o2o.location_import(to_jsonb(items));
	FOR area IN SELECT a.item FROM unnest(areas) WITH ORDINALITY a (item, n) ORDER BY a.n LOOP
		SELECT l.location_id INTO place FROM o2o.location l WHERE l.source = location_import_geojson.source AND l.source_id = area.item ->> 'source_id';
		IF NOT FOUND THEN
			RAISE EXCEPTION '%: unknown location "%/%"', area.item ->> 'row', location_import_geojson.source, coalesce(area.item ->> 'source_id', '')
				USING ERRCODE = 'O2103', HINT = 'Nothing was imported. The property source_id of an area names its place, of these features or registered before.';
		END IF;
		BEGIN
			INSERT INTO o2o.location_area AS a (location_id, service, area)
			VALUES (place, coalesce(area.item ->> 'service', 'delivery'), o2o.geo_polygon(area.item -> 'area'))
			ON CONFLICT (location_id, service) DO UPDATE SET radius_m = NULL, area = excluded.area;
		EXCEPTION
			WHEN data_exception OR check_violation OR internal_error THEN
				GET STACKED DIAGNOSTICS detail = CONSTRAINT_NAME;
				RAISE EXCEPTION '%: %', area.item ->> 'row', o2o.geopolygon_problem(detail, SQLERRM) USING ERRCODE = CASE SQLSTATE WHEN 'XX000' THEN '22023' ELSE SQLSTATE END, HINT = 'Nothing was imported.';
		END;
		written := written + 1;
	END LOOP;
	RETURN written;
END $$;
COMMENT ON FUNCTION o2o.location_import_geojson(jsonb, text, jsonb) IS 'Registers places and their service areas from a FeatureCollection (or one Feature) of GeoJSON, degrees WGS84: a Point is a place, as location_import() takes it, a Polygon or MultiPolygon is the area of a service (property service, default delivery) of the place that its property source_id names, of these features or registered before; it replaces that area, other services stay. source_id defaults to the id of the feature. Properties with the names of the keys of location_import() are taken, and what the argument properties says, as columns of location_import_csv() does; a property that a feature lacks is left out. All features or none, errors name the feature. Returns the number of features. Errors: 22023 no FeatureCollection, another geometry, a polygon that cannot be read, O2103 an area of an unknown place, 23514 an area that is not valid; those of location_import().';
