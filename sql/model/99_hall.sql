-- The hall, last: maintenance and health, which know every room, and the
-- rights that PUBLIC does not have.

CREATE TABLE IF NOT EXISTS o2o.maintenance (
	step text NOT NULL PRIMARY KEY,
	started_at timestamptz,
	finished_at timestamptz,
	done text,
	whole_at timestamptz,
	snapshot_id bigint,
	reached timestamptz,
	reached_profile_id bigint
);
COMMENT ON TABLE o2o.maintenance IS 'Steps of maintain(), one row each. A step is locked while it runs.';
COMMENT ON COLUMN o2o.maintenance.step IS 'Step: partitions, points_expire, points_lapse, points_tiers, points_rollup, points_block, verify';
COMMENT ON COLUMN o2o.maintenance.started_at IS 'When its last finished run started; NULL: it never ran';
COMMENT ON COLUMN o2o.maintenance.finished_at IS 'When it last finished; NULL: it never ran';
COMMENT ON COLUMN o2o.maintenance.done IS 'What it did then, in words; NULL: it never ran';
COMMENT ON COLUMN o2o.maintenance.whole_at IS 'Of verify, points_expire and points_lapse: when it last had looked at all of the ledger; NULL: never, or a step that has no such thing';
COMMENT ON COLUMN o2o.maintenance.reached IS 'Of points_expire: lots that expired before were swept; NULL: it begins with the first';
COMMENT ON COLUMN o2o.maintenance.reached_profile_id IS 'Of points_lapse: the profile up to which it has looked, in a round that is not over; NULL: none is under way';
COMMENT ON COLUMN o2o.maintenance.snapshot_id IS 'Of verify: the snapshot that it took then, since which it reads; refers to points_snapshot; NULL: none, the next one is whole';
INSERT INTO o2o.maintenance (step) VALUES ('partitions'), ('points_expire'), ('points_lapse'), ('points_tiers'), ('points_rollup'), ('points_block'), ('verify')
ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION o2o.maintain_verify(whole_after interval) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	before record;
	from_snapshot bigint;
	identity_rows bigint := (SELECT count(*) FROM o2o.identity_verify());
	points_rows bigint;
BEGIN
	SELECT m.whole_at, m.done, s.snapshot_id INTO before
	FROM o2o.maintenance m
		LEFT JOIN o2o.points_snapshot s ON s.snapshot_id = m.snapshot_id
	WHERE m.step = 'verify';
	IF before.whole_at > clock_timestamp() - whole_after AND before.done !~ ': [1-9]' THEN
		from_snapshot := before.snapshot_id;
	END IF;
	IF from_snapshot IS NOT NULL THEN
		points_rows := (SELECT count(*) FROM o2o.points_verify(since => from_snapshot));
		RETURN format('identity_verify: %s rows, points_verify since snapshot %s: %s rows', identity_rows, from_snapshot, points_rows);
	END IF;
	-- The snapshot first: what is posted between the two is read now and again later, rather than never.
	IF before.snapshot_id IS NOT NULL THEN
		PERFORM o2o.points_snapshot_drop(before.snapshot_id);
	END IF;
	IF whole_after > interval '0' THEN
		from_snapshot := o2o.points_snapshot_take();
	END IF;
	points_rows := (SELECT count(*) FROM o2o.points_verify());
	IF points_rows > 0 AND from_snapshot IS NOT NULL THEN
		PERFORM o2o.points_snapshot_drop(from_snapshot);
		from_snapshot := NULL;
	END IF;
	UPDATE o2o.maintenance m SET whole_at = clock_timestamp(), snapshot_id = from_snapshot WHERE m.step = 'verify';
	RETURN format('identity_verify: %s rows, points_verify: %s rows', identity_rows, points_rows);
END $$;
COMMENT ON FUNCTION o2o.maintain_verify(interval) IS 'Step verify of maintain(): counts the rows of the verify functions. The whole ledger is read where that was longer ago than whole_after, or had rows, or the snapshot of that time is gone; then a new snapshot is taken, and kept where nothing was found. In between what was posted since the snapshot is read. Returns what it found, in words.';

CREATE OR REPLACE FUNCTION o2o.maintain_expire() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	from_at timestamptz;
	whole timestamptz;
	batch record;
BEGIN
	SELECT coalesce(m.reached, '-infinity'), m.whole_at INTO from_at, whole FROM o2o.maintenance m WHERE m.step = 'points_expire';
	-- Once a day from the first lot on: points come to expired lots by refunds, imports and holds that are over.
	IF whole <= now() - interval '1 day' THEN
		from_at := '-infinity';
		whole := NULL;
	END IF;
	SELECT e.swept, e.swept_until INTO batch FROM o2o.points_expire_from(1000, from_at) e;
	UPDATE o2o.maintenance m
	SET reached = batch.swept_until, whole_at = CASE WHEN whole IS NULL AND batch.swept_until = now() THEN now() ELSE whole END
	WHERE m.step = 'points_expire';
	RETURN batch.swept;
END $$;
COMMENT ON FUNCTION o2o.maintain_expire() IS 'A batch of step points_expire of maintain(): goes on where the last one ended, and once a day begins with the lot that expired first. Returns how many portions and lots it swept.';

CREATE OR REPLACE FUNCTION o2o.maintain_lapse(OUT swept bigint, OUT is_over boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	after_profile_id bigint;
	whole timestamptz;
	seen_until bigint;
BEGIN
	SELECT m.reached_profile_id, m.whole_at INTO after_profile_id, whole FROM o2o.maintenance m WHERE m.step = 'points_lapse';
	swept := 0;
	is_over := after_profile_id IS NULL AND coalesce(whole > now() - interval '1 day', false);
	IF NOT is_over THEN
		SELECT l.swept, l.reached_profile_id INTO swept, seen_until FROM o2o.points_lapse_from(1000, coalesce(after_profile_id, 0)) l;
		is_over := seen_until IS NULL;
		UPDATE o2o.maintenance m SET reached_profile_id = seen_until, whole_at = CASE WHEN is_over THEN now() ELSE whole END
		WHERE m.step = 'points_lapse';
	END IF;
END $$;
COMMENT ON FUNCTION o2o.maintain_lapse() IS 'A batch of step points_lapse of maintain(): the next 1000 accounts of a round, which begins once a day. Returns how many lots it swept, and whether the round is over.';

CREATE OR REPLACE FUNCTION o2o.maintain_step(step text, until timestamptz, verify_whole interval DEFAULT '7 days') RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	started timestamptz := clock_timestamp();
	rows bigint;
	is_over boolean;
	report text;
BEGIN
	PERFORM FROM o2o.maintenance m WHERE m.step = maintain_step.step FOR UPDATE SKIP LOCKED;
	IF NOT FOUND OR started >= until THEN
		RETURN false;
	END IF;
	CASE maintain_step.step
		WHEN 'partitions' THEN
			rows := o2o.journey_partition_for(
				(SELECT least(min(t.occurred_at), started) FROM o2o.touchpoint_default t), started + interval '3 months');
			report := format('%s partitions made', rows);
		WHEN 'points_expire' THEN
			rows := o2o.maintain_expire();
			report := format('%s lots expired in the last batch', rows);
		WHEN 'points_lapse' THEN
			SELECT l.swept, l.is_over INTO rows, is_over FROM o2o.maintain_lapse() l;
			report := format('%s lots gone for inactivity in the last batch', rows);
		WHEN 'points_tiers' THEN
			rows := o2o.points_tier_evaluate(NULL, 1000);
			report := format('%s tiers of customers worked out in the last batch', rows);
		WHEN 'points_rollup' THEN
			rows := o2o.points_rollup_advance();
			report := format('%s postings rolled up', rows);
		WHEN 'points_block' THEN
			rows := o2o.points_block_make();
			report := CASE WHEN rows IS NULL THEN 'no block to make' ELSE format('block %s made', rows) END;
		WHEN 'verify' THEN
			report := o2o.maintain_verify(verify_whole);
	END CASE;
	UPDATE o2o.maintenance m SET started_at = started, finished_at = clock_timestamp(), done = report
	WHERE m.step = maintain_step.step;
	RETURN maintain_step.step IN ('points_expire', 'points_tiers') AND rows >= 1000 OR maintain_step.step = 'points_block' AND rows IS NOT NULL
		OR maintain_step.step = 'points_lapse' AND NOT is_over;
END $$;
COMMENT ON FUNCTION o2o.maintain_step(text, timestamptz, interval) IS 'Runs one step of maintain() (partitions, points_expire, points_lapse, points_tiers, points_rollup, points_block, verify; verify_whole as there) unless another session is at it or the time is up; of points_expire one batch of 1000 lots, of points_lapse one of 1000 accounts, of points_tiers one of 1000 customers, of points_block one block. Returns whether there is more of it to do.';

-- It commits between its parts, so that nobody waits for an account longer than a
-- batch takes, and no batch takes accounts below those of the batch before. The
-- server allows COMMIT neither with SET nor with SECURITY DEFINER: hence all names
-- are qualified here, and maintain_step() has the owner's rights.
CREATE OR REPLACE PROCEDURE o2o.maintain(max_seconds integer DEFAULT 60, verify_whole pg_catalog.interval DEFAULT '7 days')
LANGUAGE plpgsql AS $$
DECLARE
	until pg_catalog.timestamptz := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => max_seconds);
BEGIN
	PERFORM o2o.maintain_step('partitions', until);
	COMMIT;
	WHILE o2o.maintain_step('points_expire', until) LOOP
		COMMIT;
	END LOOP;
	COMMIT;
	WHILE o2o.maintain_step('points_lapse', until) LOOP
		COMMIT;
	END LOOP;
	COMMIT;
	WHILE o2o.maintain_step('points_tiers', until) LOOP
		COMMIT;
	END LOOP;
	COMMIT;
	PERFORM o2o.maintain_step('points_rollup', until);
	COMMIT;
	WHILE o2o.maintain_step('points_block', until) LOOP
		COMMIT;
	END LOOP;
	COMMIT;
	PERFORM o2o.maintain_step('verify', until, verify_whole);
END $$;
COMMENT ON PROCEDURE o2o.maintain(integer, interval) IS 'For cron: makes the partitions of the coming months, writes off expired points and those gone for inactivity in bounded steps, brings cached tiers and their history up to date, takes what was posted into the rollup and, where programs are chained, into blocks, runs the verify functions: over the whole ledger where that was longer ago than verify_whole (0: each time), in between over what was posted since. Commits after each step, so call it outside a transaction (2D000 inside one). Stops starting work after max_seconds, goes on where it stopped, safe to run twice at once (no step runs twice at a time). Answers are exact also when it has not run for a month.';

CREATE OR REPLACE FUNCTION o2o.health() RETURNS TABLE ("check" text, status text, value text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
DECLARE
	library text := o2o.library_version();
BEGIN
	RETURN QUERY
	SELECT 'model version', CASE WHEN v.version = library THEN 'ok' ELSE 'problem' END,
		format('model %s, extension %s', v.version, library),
		CASE WHEN v.version <> library THEN 'CALL o2o.setup() after ALTER EXTENSION "O2O" UPDATE.' END
	FROM o2o.model_version v ORDER BY v.applied_at DESC LIMIT 1;
	RETURN QUERY
	SELECT 'search_path', CASE WHEN found.entry IS NULL THEN 'warning' ELSE 'ok' END, coalesce(found.entry, 'not set for this database'),
		CASE WHEN found.entry IS NULL THEN format('ALTER DATABASE %I SET search_path = "$user", public, o2o;', current_database()) END
	FROM (VALUES (1)) one
		LEFT JOIN (
			SELECT c.entry FROM pg_db_role_setting s, unnest(s.setconfig) c (entry)
			WHERE s.setdatabase = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
				AND c.entry ~ '^search_path=.*\mo2o\M'
			LIMIT 1
		) found ON true;
	RETURN QUERY
	SELECT 'creating in schema o2o', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END,
		coalesce(string_agg(r.rolname, ', ' ORDER BY r.rolname), 'the owner alone'),
		CASE WHEN count(*) > 0 THEN 'REVOKE CREATE ON SCHEMA o2o from these roles.' END
	FROM pg_roles r
	WHERE NOT r.rolsuper AND r.rolname <> current_user AND has_schema_privilege(r.oid, 'o2o', 'CREATE')
		AND NOT pg_has_role(r.oid, current_user, 'MEMBER');
	RETURN QUERY
	SELECT 'maintain: ' || m.step,
		CASE WHEN m.finished_at > now() - interval '2 days' THEN 'ok' ELSE 'warning' END,
		coalesce(m.finished_at || ': ' || m.done, 'never ran'),
		CASE WHEN m.finished_at > now() - interval '2 days' THEN NULL ELSE 'CALL o2o.maintain(60) from cron or pg_cron, every hour.' END
	FROM o2o.maintenance m ORDER BY m.step;
	RETURN QUERY
	SELECT 'verify', CASE WHEN m.done ~ ': [1-9]' THEN 'problem' ELSE 'ok' END, m.done,
		CASE WHEN m.done ~ ': [1-9]' THEN 'SELECT * FROM o2o.identity_verify(); SELECT * FROM o2o.points_verify();' END
	FROM o2o.maintenance m WHERE m.step = 'verify' AND m.finished_at IS NOT NULL;
	RETURN QUERY
	SELECT 'touchpoints without a partition', CASE WHEN p.waiting THEN 'warning' ELSE 'ok' END,
		CASE WHEN p.waiting THEN 'some' ELSE 'none' END,
		CASE WHEN p.waiting THEN 'CALL o2o.maintain(60) moves them.' END
	FROM (SELECT EXISTS (SELECT FROM o2o.touchpoint_default t
		WHERE t.occurred_at >= now() - interval '10 years' AND t.occurred_at < now() + interval '3 months') AS waiting) p;
	RETURN QUERY
	SELECT 'source: ' || t.source, CASE WHEN t.imported_at > now() - interval '2 days' THEN 'ok' ELSE 'warning' END,
		coalesce('imported ' || t.imported_at, 'never imported'),
		CASE WHEN t.imported_at > now() - interval '2 days' THEN NULL ELSE format('SELECT * FROM o2o.source_import(%L) from cron or pg_cron, every hour.', t.source) END
	FROM o2o.source_table t ORDER BY t.source;
	RETURN QUERY
	SELECT 'backfill: batch ' || p.batch_id, 'warning', format('%s of %s rows to go, at a standstill', p.rows_left, p.rows_total),
		coalesce('The last error was ' || p.last_error || '. ', '') || format('CALL o2o.identity_resolve_batch(%s) goes on.', p.batch_id)
	FROM o2o.identity_batch_progress p
	WHERE p.finished_at IS NULL AND coalesce(p.last_chunk_at, p.started_at) < now() - interval '1 hour'
	ORDER BY p.batch_id;
	RETURN QUERY
	SELECT 'suppressed evidence of 30 days', 'ok', count(*)::text, 'o2o.identity_evidence, status suppressed: links that a rule refused.'
	FROM o2o.identity_evidence e WHERE e.status = 'suppressed' AND e.last_seen_at > now() - interval '30 days';
	RETURN QUERY
	SELECT 'cluster key rules', CASE WHEN count(*) = 0 THEN 'ok' ELSE 'warning' END, format('%s findings', count(*)),
		CASE WHEN count(*) > 0 THEN 'SELECT * FROM o2o.distribution_lint();' END
	FROM o2o.distribution_lint();
END $$;
COMMENT ON FUNCTION o2o.health() IS 'How the installation is: check, status (ok, warning, problem), value, and hint: what to do. Looks at the versions of model and extension, the search_path, who may create in the schema, the last maintenance and verify results, partitions, mapped sources that were not imported for two days, backfills that stand still, refused links, and the cluster rules.';

DO $$
DECLARE
	routine regprocedure;
BEGIN
	FOR routine IN
		SELECT p.oid FROM pg_proc p
		WHERE p.pronamespace = 'o2o'::regnamespace AND pg_get_userbyid(p.proowner) = current_user
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
			AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0))
	LOOP
		EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', routine);
	END LOOP;
END $$;
