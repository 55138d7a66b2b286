-- The points room: amounts that many draw from at once, split into stripes so
-- that no row is hot. Who draws, and why, stands elsewhere (budgets, reserve,
-- accounts of partners); what an amount is for, this file does not know.

CREATE TABLE IF NOT EXISTS o2o.points_stripe (
	account_id bigint NOT NULL,
	stripe smallint NOT NULL CHECK (stripe >= 0),
	available o2o.points NOT NULL DEFAULT 0,
	PRIMARY KEY (account_id, stripe),
	CHECK (available OPERATOR(o2o.>=) 0)
) WITH (fillfactor = 10);
COMMENT ON TABLE o2o.points_stripe IS 'What is left of an amount that many transactions draw from: the sum over its stripes, none below zero. A draw takes a free stripe, so that as many draw at once as there are stripes.';
COMMENT ON COLUMN o2o.points_stripe.account_id IS 'Account, budget or reserve whose amount it is; the numbers of all of them come from points_account_id_seq';
COMMENT ON COLUMN o2o.points_stripe.stripe IS 'Number of the stripe, 0 and up';
COMMENT ON COLUMN o2o.points_stripe.available IS 'Points that are left in the stripe';

CREATE OR REPLACE FUNCTION o2o.points_stripes_open(account_id bigint, stripes integer DEFAULT 32) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF (stripes BETWEEN 1 AND 1024) IS NOT TRUE THEN
		RAISE EXCEPTION 'an amount has from 1 to 1024 stripes'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('Asked %s.', coalesce(stripes::text, 'NULL')),
				HINT = 'As many as transactions draw from it at once; 32 serve most.';
	END IF;
	INSERT INTO o2o.points_stripe (account_id, stripe)
	SELECT points_stripes_open.account_id, s.stripe FROM generate_series(0, stripes - 1) s (stripe)
	ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION o2o.points_stripes_open(bigint, integer) IS 'Makes the stripes of an amount, empty, where they do not exist yet: account, number of stripes (1 to 1024, at least as many as transactions draw from it at once). Error: 22023 the number.';

CREATE OR REPLACE FUNCTION o2o.points_stripes_lock(account_id bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT count(*) FROM (
		SELECT FROM o2o.points_stripe s WHERE s.account_id = points_stripes_lock.account_id
		ORDER BY s.stripe FOR NO KEY UPDATE) l);
END $$;
COMMENT ON FUNCTION o2o.points_stripes_lock(bigint) IS 'Locks all stripes of an amount in ascending order, waiting for those who drew from one and have not committed, and returns how many there are. Read what is available in a later statement.';

CREATE OR REPLACE FUNCTION o2o.points_stripes_available(account_id bigint) RETURNS o2o.points
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT coalesce(o2o.sum(s.available), 0::o2o.points) FROM o2o.points_stripe s
		WHERE s.account_id = points_stripes_available.account_id);
END $$;
COMMENT ON FUNCTION o2o.points_stripes_available(bigint) IS 'What is left of an amount, over all its stripes; exact where their locks are held.';

CREATE OR REPLACE FUNCTION o2o.points_stripes_set(account_id bigint, amount o2o.points, per_draw o2o.points DEFAULT 0) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	stripes integer := (SELECT count(*) FROM o2o.points_stripe s WHERE s.account_id = points_stripes_set.account_id);
	filled integer := stripes;
BEGIN
	-- Of little that is left, a few stripes get enough for a draw, rather than
	-- all of them too little.
	IF per_draw OPERATOR(o2o.>) 0 THEN
		filled := greatest(1, least(stripes, trunc(amount OPERATOR(o2o./) per_draw)));
	END IF;
	UPDATE o2o.points_stripe s
	SET available = coalesce(p.part, 0::o2o.points)
	FROM (
		SELECT g.stripe, a.part
		FROM generate_series(0, stripes - 1) g (stripe)
			LEFT JOIN unnest(o2o.points_allocate(points_stripes_set.amount, array_fill(1::numeric, ARRAY[filled])))
				WITH ORDINALITY a (part, place) ON a.place = g.stripe + 1
	) p
	WHERE s.account_id = points_stripes_set.account_id AND s.stripe = p.stripe
		AND s.available OPERATOR(o2o.<>) coalesce(p.part, 0::o2o.points);
END $$;
COMMENT ON FUNCTION o2o.points_stripes_set(bigint, o2o.points, o2o.points) IS 'Spreads an amount evenly over the stripes, whose locks are held, in place of what they had; over so many only that each has at least per_draw, where per_draw is above zero.';

CREATE OR REPLACE FUNCTION o2o.points_stripes_take(account_id bigint, amount o2o.points, partly boolean DEFAULT false) RETURNS o2o.points
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	free smallint;
	rest o2o.points;
BEGIN
	-- Each backend looks at the stripes from a place of its own on, so that two
	-- seldom meet; whoever finds a stripe taken passes by. A stripe that somebody
	-- drew from a moment ago is locked before it turns out to have too little:
	-- such locks are given back, or two who gather could wait for each other.
	BEGIN
		SELECT s.stripe INTO STRICT free
		FROM o2o.points_stripe s
		WHERE s.account_id = points_stripes_take.account_id AND s.available OPERATOR(o2o.>=) points_stripes_take.amount
		ORDER BY (s.stripe * 619 + pg_backend_pid() * 397) % 1024
		LIMIT 1
		FOR NO KEY UPDATE SKIP LOCKED;
		UPDATE o2o.points_stripe s SET available = s.available OPERATOR(o2o.-) points_stripes_take.amount
		WHERE s.account_id = points_stripes_take.account_id AND s.stripe = free;
		RETURN amount;
	EXCEPTION WHEN no_data_found THEN
		NULL;
	END;

	-- Too little even if all who are drawing gave up: nobody has to wait for that.
	IF NOT partly AND o2o.points_stripes_available(points_stripes_take.account_id) OPERATOR(o2o.<) amount THEN
		RETURN 0;
	END IF;
	-- No free stripe has so much: wait for all of them and gather. What is left
	-- is spread anew, so that the next draw finds it in one stripe.
	PERFORM o2o.points_stripes_lock(points_stripes_take.account_id);
	rest := o2o.points_stripes_available(points_stripes_take.account_id);
	IF rest OPERATOR(o2o.<) amount THEN
		IF NOT partly THEN
			RETURN 0;
		END IF;
		amount := rest;
	END IF;
	PERFORM o2o.points_stripes_set(points_stripes_take.account_id, rest OPERATOR(o2o.-) amount, amount);
	RETURN amount;
END $$;
COMMENT ON FUNCTION o2o.points_stripes_take(bigint, o2o.points, boolean) IS 'Draws points from an amount and returns them: from one free stripe, else gathered from all of them in ascending order, which waits for those who are drawing. Where less is left than asked: 0, or what is left where partly is true; so it never overshoots, and says no only when that is so. One draw per amount and call; of several amounts in ascending order of account_id, the reserve last. The stripe stays locked until the transaction ends.';

CREATE OR REPLACE FUNCTION o2o.points_stripes_give(account_id bigint, amount o2o.points) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	free smallint;
BEGIN
	SELECT s.stripe INTO free
	FROM o2o.points_stripe s
	WHERE s.account_id = points_stripes_give.account_id
	ORDER BY (s.stripe * 619 + pg_backend_pid() * 397) % 1024
	LIMIT 1
	FOR NO KEY UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		PERFORM o2o.points_stripes_lock(points_stripes_give.account_id);
		free := 0;
	END IF;
	UPDATE o2o.points_stripe s SET available = s.available OPERATOR(o2o.+) points_stripes_give.amount
	WHERE s.account_id = points_stripes_give.account_id AND s.stripe = free;
END $$;
COMMENT ON FUNCTION o2o.points_stripes_give(bigint, o2o.points) IS 'Gives points back to an amount, into one free stripe. For small returns; who pays in uses points_stripes_put().';

CREATE OR REPLACE FUNCTION o2o.points_stripes_put(account_id bigint, amount o2o.points) RETURNS o2o.points
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rest o2o.points;
BEGIN
	PERFORM o2o.points_stripes_lock(points_stripes_put.account_id);
	rest := o2o.points_stripes_available(points_stripes_put.account_id) OPERATOR(o2o.+) amount;
	IF rest OPERATOR(o2o.>=) 0 THEN
		PERFORM o2o.points_stripes_set(points_stripes_put.account_id, rest);
	END IF;
	RETURN rest;
END $$;
COMMENT ON FUNCTION o2o.points_stripes_put(bigint, o2o.points) IS 'Adds points to an amount, or takes them from it (below zero), and spreads what is there evenly over its stripes; waits for those who are drawing. Returns what is left then; below zero: so much is missing, and nothing was changed.';
