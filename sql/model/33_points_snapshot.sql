-- The points room: snapshots. What all postings up to a moment came to, so that
-- points_verify() can begin there instead of with the first posting.

CREATE SEQUENCE IF NOT EXISTS o2o.points_snapshot_id_seq AS bigint;
CREATE TABLE IF NOT EXISTS o2o.points_snapshot (
	snapshot_id bigint NOT NULL DEFAULT nextval('o2o.points_snapshot_id_seq') PRIMARY KEY,
	horizon bigint NOT NULL,
	taken_at timestamptz NOT NULL,
	taken_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE o2o.points_snapshot IS 'Snapshots of the ledger, for points_verify(since => snapshot_id).';
COMMENT ON COLUMN o2o.points_snapshot.snapshot_id IS 'Number of the snapshot';
COMMENT ON COLUMN o2o.points_snapshot.horizon IS 'Every posting that is not in the snapshot has a seq at or above it; some that are may have too';
COMMENT ON COLUMN o2o.points_snapshot.taken_at IS 'When it was taken';
COMMENT ON COLUMN o2o.points_snapshot.taken_by IS 'Login role that took it';

CREATE TABLE IF NOT EXISTS o2o.points_snapshot_account (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL,
	snapshot_id bigint NOT NULL,
	version bigint NOT NULL,
	balance o2o.points NOT NULL,
	debt o2o.points NOT NULL,
	posted_at timestamptz NOT NULL,
	chain bytea,
	PRIMARY KEY (profile_id, account_id, snapshot_id)
);
COMMENT ON TABLE o2o.points_snapshot_account IS 'Accounts that had postings when a snapshot was taken.';
COMMENT ON COLUMN o2o.points_snapshot_account.profile_id IS 'Profile whose account it is';
COMMENT ON COLUMN o2o.points_snapshot_account.account_id IS 'Account; refers to points_account';
COMMENT ON COLUMN o2o.points_snapshot_account.snapshot_id IS 'Snapshot; refers to points_snapshot';
COMMENT ON COLUMN o2o.points_snapshot_account.version IS 'version of its last posting then';
COMMENT ON COLUMN o2o.points_snapshot_account.balance IS 'Points after that posting';
COMMENT ON COLUMN o2o.points_snapshot_account.debt IS 'Points that the account owed';
COMMENT ON COLUMN o2o.points_snapshot_account.posted_at IS 'When that posting was written';
COMMENT ON COLUMN o2o.points_snapshot_account.chain IS 'Link of that posting; NULL or empty: it has none';

CREATE TABLE IF NOT EXISTS o2o.points_snapshot_lot (
	profile_id bigint NOT NULL,
	account_id bigint NOT NULL,
	expires_at timestamptz NOT NULL,
	grant_month date NOT NULL,
	funding text NOT NULL,
	snapshot_id bigint NOT NULL,
	granted o2o.points NOT NULL,
	consumed o2o.points NOT NULL,
	expired o2o.points NOT NULL,
	clawed o2o.points NOT NULL,
	PRIMARY KEY (profile_id, account_id, snapshot_id, expires_at, grant_month, funding)
);
COMMENT ON TABLE o2o.points_snapshot_lot IS 'Lots when a snapshot was taken.';
COMMENT ON COLUMN o2o.points_snapshot_lot.profile_id IS 'Profile whose account it is';
COMMENT ON COLUMN o2o.points_snapshot_lot.account_id IS 'Account; refers to points_account';
COMMENT ON COLUMN o2o.points_snapshot_lot.expires_at IS 'expires_at of the lot; refers to points_lot';
COMMENT ON COLUMN o2o.points_snapshot_lot.grant_month IS 'grant_month of the lot; refers to points_lot';
COMMENT ON COLUMN o2o.points_snapshot_lot.funding IS 'funding of the lot; refers to points_lot';
COMMENT ON COLUMN o2o.points_snapshot_lot.snapshot_id IS 'Snapshot; refers to points_snapshot';
COMMENT ON COLUMN o2o.points_snapshot_lot.granted IS 'Points that came to the lot until then';
COMMENT ON COLUMN o2o.points_snapshot_lot.consumed IS 'Points burned or given away until then, less those that refunds brought back';
COMMENT ON COLUMN o2o.points_snapshot_lot.expired IS 'Points swept after they expired until then, less those that a clawback then took back';
COMMENT ON COLUMN o2o.points_snapshot_lot.clawed IS 'Points taken back until then';

CREATE TABLE IF NOT EXISTS o2o.points_snapshot_contra (
	snapshot_id bigint NOT NULL,
	account_id bigint NOT NULL,
	balance numeric(38, 4) NOT NULL,
	PRIMARY KEY (snapshot_id, account_id)
);
COMMENT ON TABLE o2o.points_snapshot_contra IS 'What accounts had got as the other side of postings when a snapshot was taken.';
COMMENT ON COLUMN o2o.points_snapshot_contra.snapshot_id IS 'Snapshot; refers to points_snapshot';
COMMENT ON COLUMN o2o.points_snapshot_contra.account_id IS 'Account, as in points_rollup';
COMMENT ON COLUMN o2o.points_snapshot_contra.balance IS 'Minus the amounts of all postings until then that have it as contra_account_id';

CREATE OR REPLACE FUNCTION o2o.points_snapshot_take() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	new_snapshot_id bigint := nextval('o2o.points_snapshot_id_seq');
	new_horizon bigint;
BEGIN
	-- The base of this cluster must be there; an older horizon than that of the
	-- statement below is as good.
	PERFORM o2o.change_seq();
	new_horizon := o2o.change_horizon();
	-- One statement, so that all of it is of one moment.
	WITH account AS (
		INSERT INTO o2o.points_snapshot_account (profile_id, account_id, snapshot_id, version, balance, debt, posted_at, chain)
		SELECT a.profile_id, a.account_id, new_snapshot_id, a.version, a.balance, a.debt, a.posted_at, a.chain
		FROM o2o.points_account a WHERE a.version > 0
	), lot AS (
		INSERT INTO o2o.points_snapshot_lot (profile_id, account_id, snapshot_id, expires_at, grant_month, funding, granted, consumed, expired, clawed)
		SELECT l.profile_id, l.account_id, new_snapshot_id, l.expires_at, l.grant_month, l.funding, l.granted, l.consumed, l.expired, l.clawed
		FROM o2o.points_lot l
	), contra AS (
		INSERT INTO o2o.points_snapshot_contra (snapshot_id, account_id, balance)
		SELECT new_snapshot_id, b.account_id, b.balance FROM o2o.points_contra_balance() b
	)
	INSERT INTO o2o.points_snapshot (snapshot_id, horizon, taken_at)
	VALUES (new_snapshot_id, new_horizon, clock_timestamp());
	RETURN new_snapshot_id;
END $$;
COMMENT ON FUNCTION o2o.points_snapshot_take() IS 'Takes a snapshot of all accounts and lots, as they are at one moment, and returns its snapshot_id, for points_verify(since => …). It is worth as much as a points_verify() that returned no row at that time: what was wrong before it is not looked at again. Nobody who posts waits for it.';

CREATE OR REPLACE FUNCTION o2o.points_snapshot_drop(snapshot_id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM o2o.points_snapshot s WHERE s.snapshot_id = points_snapshot_drop.snapshot_id;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such snapshot of points'
			USING ERRCODE = 'O2340', DETAIL = format('Snapshot %s.', coalesce(points_snapshot_drop.snapshot_id::text, 'NULL')),
				HINT = 'points_snapshot_take() returned its number.';
	END IF;
	DELETE FROM o2o.points_snapshot_contra s WHERE s.snapshot_id = points_snapshot_drop.snapshot_id;
	DELETE FROM o2o.points_snapshot_lot s WHERE s.snapshot_id = points_snapshot_drop.snapshot_id;
	DELETE FROM o2o.points_snapshot_account s WHERE s.snapshot_id = points_snapshot_drop.snapshot_id;
END $$;
COMMENT ON FUNCTION o2o.points_snapshot_drop(bigint) IS 'Deletes a snapshot of the ledger. Error: O2340 no such snapshot.';
