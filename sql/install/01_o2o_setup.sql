-- The hall: setup() makes the model from the statements of sql/model.

CREATE FUNCTION o2o.setup_check(target name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	is_superuser boolean;
	in_the_way text;
BEGIN
	SELECT r.rolsuper INTO is_superuser FROM pg_roles r WHERE r.rolname = target;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'role "%" does not exist', target USING ERRCODE = 'undefined_object';
	ELSIF is_superuser THEN
		RAISE EXCEPTION 'the owner of the O2O model must not be a superuser'
			USING ERRCODE = 'O2003',
				DETAIL = format('Role "%s" is a superuser; API functions run with the rights of their owner.', target),
				HINT = format('GRANT USAGE, CREATE ON SCHEMA o2o TO shop_owner; then CALL o2o.setup(owner => %L).', 'shop_owner');
	ELSIF NOT has_schema_privilege(target, 'o2o', 'USAGE, CREATE') OR NOT has_schema_privilege(target, 'o2o', 'CREATE') THEN
		RAISE EXCEPTION 'role "%" may not create objects in schema o2o', target
			USING ERRCODE = 'insufficient_privilege',
				HINT = format('As a superuser: GRANT USAGE, CREATE ON SCHEMA o2o TO %I.', target);
	END IF;
	SELECT string_agg(found.name, ', ' ORDER BY found.name) INTO in_the_way
	FROM (
		SELECT format('%s %I (owner %I)', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END,
			c.relname, pg_get_userbyid(c.relowner)) AS name
		FROM pg_class c
		WHERE c.relnamespace = 'o2o'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
			AND pg_get_userbyid(c.relowner) <> target
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		UNION ALL
		SELECT format('function %I (owner %I)', p.proname, pg_get_userbyid(p.proowner))
		FROM pg_proc p
		WHERE p.pronamespace = 'o2o'::regnamespace AND pg_get_userbyid(p.proowner) <> target
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
		UNION ALL
		SELECT format('type %I (owner %I)', t.typname, pg_get_userbyid(t.typowner))
		FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
		WHERE t.typnamespace = 'o2o'::regnamespace AND pg_get_userbyid(t.typowner) <> target
			AND coalesce(c.relkind, 'c') = 'c' AND t.typcategory <> 'A'		-- neither the row type of a table nor an array
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
	) found;
	IF in_the_way IS NOT NULL THEN
		RAISE EXCEPTION 'objects in schema o2o belong to another role than "%"', target
			USING ERRCODE = 'O2002', DETAIL = in_the_way,
				HINT = 'Drop or rename them, or call setup() as their owner.';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.setup_check(name) IS 'What setup() asks before it touches anything: the role exists (42704), is no superuser (O2003), may create in schema o2o (42501), and nobody else owns objects there (O2002).';

CREATE PROCEDURE o2o.setup(owner name DEFAULT NULL, dry_run boolean DEFAULT false)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
DECLARE
	target name := coalesce(setup.owner, current_user);
	old_role text := current_setting('role');
	old_lock_timeout text := current_setting('lock_timeout');
	old_messages text := current_setting('client_min_messages');
	step record;
	found_version text;
BEGIN
	PERFORM o2o.setup_check(target);
	IF to_regclass('o2o.model_version') IS NOT NULL THEN
		EXECUTE 'SELECT version FROM o2o.model_version ORDER BY applied_at DESC, version DESC LIMIT 1' INTO found_version;
		IF string_to_array(found_version, '.')::integer[] > string_to_array(o2o.library_version(), '.')::integer[] THEN
			RAISE EXCEPTION 'the O2O model is of a later version than the extension'
				USING ERRCODE = 'O2001',
					DETAIL = format('Model %s, extension %s.', found_version, o2o.library_version()),
					HINT = 'Install the later version and run ALTER EXTENSION "O2O" UPDATE.';
		END IF;
	END IF;

	IF setup.dry_run THEN
		FOR step IN SELECT * FROM o2o.model_statement() ORDER BY ordinal LOOP
			RAISE INFO '%;', step.statement;
		END LOOP;
		RETURN;
	END IF;

	PERFORM set_config('role', target, true);
	PERFORM set_config('lock_timeout', '10s', true);
	PERFORM set_config('client_min_messages', 'warning', true);
	FOR step IN SELECT * FROM o2o.model_statement() ORDER BY ordinal LOOP
		EXECUTE step.statement;
	END LOOP;
	IF found_version IS DISTINCT FROM o2o.library_version() THEN
		EXECUTE 'INSERT INTO o2o.model_version (version, applied_by) VALUES ($1, $2)' USING o2o.library_version(), session_user;
	END IF;
	PERFORM set_config('client_min_messages', old_messages, true);
	PERFORM set_config('lock_timeout', old_lock_timeout, true);
	PERFORM set_config('role', old_role, true);

	IF NOT EXISTS (
		SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c (entry)
		WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND c.entry ~ '^search_path=.*\mo2o\M')
	THEN
		RAISE NOTICE 'schema o2o is not in the search_path of database "%"', current_database()
			USING HINT = format('Operators and aggregates of O2O types need it: ALTER DATABASE %I SET search_path = "$user", public, o2o;', current_database());
	END IF;
END $$;
COMMENT ON PROCEDURE o2o.setup(name, boolean) IS 'Makes or upgrades the model in schema o2o: tables, views and API functions as ordinary objects owned by owner (default: the caller), who must not be a superuser. Safe to repeat; never commits. dry_run => true prints the statements as INFO messages and changes nothing. Errors: O2001 the model is newer than the extension, O2002 objects of other roles are in the way, O2003 the owner is a superuser, 42501 the owner may not create in schema o2o.';
