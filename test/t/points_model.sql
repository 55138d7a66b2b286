-- The reference of 104_points_model.pl: what the points room should do, written
-- once more over a few plain tables. It shares with the room who is one customer
-- (o2o.profile) and the numbers of accounts, transfers and holds, and nothing
-- else. All in PL/pgSQL, whose plans are kept: SQL functions are planned at each call.

CREATE SCHEMA model;
CREATE TABLE model.program (program text PRIMARY KEY, policy text, expires_after interval, grace interval);
CREATE TABLE model.lot (profile_id bigint, program text, expires_at timestamptz, grant_month date, funding text, account_id bigint,
	granted numeric NOT NULL DEFAULT 0, remaining numeric NOT NULL DEFAULT 0, consumed numeric NOT NULL DEFAULT 0,
	expired numeric NOT NULL DEFAULT 0, clawed numeric NOT NULL DEFAULT 0,
	PRIMARY KEY (profile_id, program, expires_at, grant_month, funding),
	CHECK (granted = remaining + consumed + expired + clawed AND least(remaining, consumed, expired, clawed) >= 0)) WITH (fillfactor = 50);
CREATE INDEX ON model.lot (profile_id, program) WHERE remaining > 0;
CREATE INDEX ON model.lot (expires_at) WHERE remaining > 0;
CREATE TABLE model.debt (profile_id bigint, program text, amount numeric CHECK (amount >= 0), PRIMARY KEY (profile_id, program));
CREATE TABLE model.hold (hold_id bigint PRIMARY KEY, profile_id bigint, program text, kind text, held_until timestamptz, state text, transfer_id bigint);
CREATE INDEX ON model.hold (transfer_id);
-- Portions of open holds; those of a hold that is closed are deleted.
CREATE TABLE model.part (hold_id bigint, profile_id bigint, program text, expires_at timestamptz, grant_month date, funding text, amount numeric,
	held_until timestamptz);
CREATE INDEX ON model.part (hold_id);
CREATE INDEX ON model.part (profile_id, program, expires_at);
CREATE TABLE model.move (transfer_id bigint, reverses bigint, acting bigint, kind text, profile_id bigint, program text,
	expires_at timestamptz, grant_month date, funding text, amount numeric);
CREATE INDEX ON model.move (transfer_id);
CREATE INDEX ON model.move (reverses) WHERE reverses IS NOT NULL;
CREATE TABLE model.mismatch (n integer, operation text, wanted text, got text);

CREATE FUNCTION model.fail(state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'model' USING ERRCODE = state;
END $$;

CREATE FUNCTION model.members(profile bigint) RETURNS bigint[] LANGUAGE plpgsql AS $$
BEGIN
	RETURN coalesce((SELECT array_agg(m.profile_id) FROM o2o.profile p JOIN o2o.profile m ON m.customer_id = p.customer_id
		WHERE p.profile_id = profile), ARRAY[profile]);
END $$;

CREATE FUNCTION model.account(profile bigint, in_program text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT account_id FROM o2o.points_account WHERE profile_id = profile AND program = in_program AND kind = 'member');
END $$;

-- The end of the day, on the clock of UTC.
CREATE FUNCTION model.expiry(in_program text, at timestamptz, after interval DEFAULT NULL) RETURNS timestamptz LANGUAGE plpgsql AS $$
BEGIN
	after := coalesce(after, (SELECT expires_after FROM model.program WHERE program = in_program));
	RETURN coalesce((date_trunc('day', at AT TIME ZONE 'UTC' + after) + interval '1 day') AT TIME ZONE 'UTC', 'infinity');
END $$;

CREATE FUNCTION model.month(at timestamptz) RETURNS date LANGUAGE plpgsql AS $$
BEGIN
	RETURN date_trunc('month', at AT TIME ZONE 'UTC')::date;
END $$;

-- Lots with what of them is on hold now.
CREATE VIEW model.lots AS
SELECT l.*, coalesce(h.held, 0) AS held, l.remaining - coalesce(h.held, 0) AS free
FROM model.lot l LEFT JOIN LATERAL (
	SELECT sum(p.amount) AS held FROM model.part p
	WHERE p.held_until > now() AND p.profile_id = l.profile_id AND p.program = l.program
		AND p.expires_at = l.expires_at AND p.grant_month = l.grant_month AND p.funding = l.funding) h ON true;

CREATE FUNCTION model.owed(members bigint[], in_program text) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT coalesce(sum(amount), 0) FROM model.debt WHERE profile_id = ANY (members) AND program = in_program);
END $$;

CREATE FUNCTION model.available(members bigint[], in_program text) RETURNS numeric LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT coalesce(sum(free), 0) FROM model.lots
		WHERE profile_id = ANY (members) AND program = in_program AND expires_at > now() AND remaining > 0) - model.owed(members, in_program);
END $$;

CREATE FUNCTION model.balance(members bigint[], in_program text, OUT balance numeric, OUT held numeric, OUT available numeric) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	SELECT coalesce(sum(l.remaining), 0), coalesce(sum(l.held), 0), coalesce(sum(l.free) FILTER (WHERE l.expires_at > now()), 0) - model.owed(members, in_program)
	INTO balance, held, available
	FROM model.lots l WHERE l.program = in_program AND l.profile_id = ANY (members) AND l.remaining > 0;
	IF (SELECT policy FROM model.program WHERE program = in_program) <> 'debt' THEN
		balance := balance - model.owed(members, in_program);
	END IF;
END $$;

CREATE FUNCTION model.grant_lot(profile bigint, in_program text, expires timestamptz, month date, funded text, plus numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO model.lot AS l (profile_id, program, expires_at, grant_month, funding, account_id, granted, remaining)
	VALUES (profile, in_program, expires, month, funded, model.account(profile, in_program), plus, plus)
	ON CONFLICT (profile_id, program, expires_at, grant_month, funding)
	DO UPDATE SET granted = l.granted + plus, remaining = l.remaining + plus;
END $$;

-- Changes a lot by what a move of the kind does to it.
CREATE FUNCTION model.change_lot(profile bigint, in_program text, expires timestamptz, month date, funded text, kind text, plus numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	UPDATE model.lot SET remaining = remaining + plus,
		consumed = consumed - CASE WHEN kind IN ('burn', 'transfer_out', 'refund') THEN plus ELSE 0 END,
		expired = expired - CASE WHEN kind = 'expire' THEN plus ELSE 0 END,
		clawed = clawed - CASE WHEN kind IN ('clawback', 'reverse', 'adjust') THEN plus ELSE 0 END
	WHERE profile_id = profile AND program = in_program AND expires_at = expires AND grant_month = month AND funding = funded;
END $$;

CREATE FUNCTION model.repay(profile bigint, in_program text, incoming numeric, transfer bigint, reversed bigint, kind text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	part numeric := least(incoming, model.owed(ARRAY[profile], in_program));
BEGIN
	IF part > 0 THEN
		UPDATE model.debt SET amount = amount - part WHERE profile_id = profile AND program = in_program;
		INSERT INTO model.move VALUES (transfer, reversed, profile, kind, profile, in_program, NULL, NULL, NULL, part);
	END IF;
	RETURN incoming - part;
END $$;

CREATE FUNCTION model.earn(profile bigint, in_program text, plus numeric, occurred timestamptz, funded text, active timestamptz, transfer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	expires timestamptz := model.expiry(in_program, occurred);
	hold bigint;
BEGIN
	IF plus <= 0 THEN PERFORM model.fail('O2303'); END IF;
	IF (active > now()) IS NOT TRUE THEN
		plus := model.repay(profile, in_program, plus, transfer, NULL, 'earn');
	END IF;
	IF plus > 0 THEN
		PERFORM model.grant_lot(profile, in_program, expires, model.month(occurred), funded, plus);
		INSERT INTO model.move VALUES (transfer, NULL, profile, 'earn', profile, in_program, expires, model.month(occurred), funded, plus);
		IF active > now() THEN
			hold := (SELECT max(hold_id) FROM o2o.points_hold WHERE transfer_id = transfer AND kind = 'pending');
			INSERT INTO model.hold VALUES (hold, profile, in_program, 'pending', active, 'open', transfer);
			INSERT INTO model.part VALUES (hold, profile, in_program, expires, model.month(occurred), funded, plus, active);
		END IF;
	END IF;
END $$;

CREATE FUNCTION model.draw(members bigint[], acting_profile bigint, in_program text, wanted numeric, transfer bigint, reversed bigint, kind text) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	l record;
	part numeric;
BEGIN
	IF model.available(members, in_program) < wanted THEN PERFORM model.fail('O2301'); END IF;
	FOR l IN SELECT * FROM model.lots v WHERE v.profile_id = ANY (members) AND v.program = in_program AND v.expires_at > now() AND v.remaining > 0 AND v.free > 0
		ORDER BY v.expires_at, v.profile_id <> acting_profile, v.grant_month, v.account_id, v.funding
	LOOP
		EXIT WHEN wanted = 0;
		part := least(l.free, wanted);
		wanted := wanted - part;
		PERFORM model.change_lot(l.profile_id, in_program, l.expires_at, l.grant_month, l.funding, kind, -part);
		INSERT INTO model.move VALUES (transfer, reversed, acting_profile, kind, l.profile_id, in_program, l.expires_at, l.grant_month, l.funding, -part);
	END LOOP;
END $$;

CREATE FUNCTION model.burn(profile bigint, in_program text, wanted numeric, transfer bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF wanted <= 0 THEN PERFORM model.fail('O2303'); END IF;
	PERFORM model.draw(model.members(profile), profile, in_program, wanted, transfer, NULL, 'burn');
END $$;

CREATE FUNCTION model.gift(giver bigint, receiver bigint, in_program text, wanted numeric, transfer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	m record;
BEGIN
	IF wanted <= 0 THEN PERFORM model.fail('O2303'); END IF;
	IF receiver = ANY (model.members(giver)) THEN PERFORM model.fail('22023'); END IF;
	PERFORM model.draw(model.members(giver), giver, in_program, wanted, transfer, NULL, 'transfer_out');
	FOR m IN SELECT expires_at, grant_month, funding, -sum(amount) AS amount FROM model.move WHERE transfer_id = transfer GROUP BY 1, 2, 3 LOOP
		PERFORM model.grant_lot(receiver, in_program, m.expires_at, m.grant_month, m.funding, m.amount);
		INSERT INTO model.move VALUES (transfer, NULL, giver, 'transfer_in', receiver, in_program, m.expires_at, m.grant_month, m.funding, m.amount);
	END LOOP;
END $$;

CREATE FUNCTION model.hold(profile bigint, in_program text, wanted numeric, until timestamptz, hold bigint) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	members bigint[] := model.members(profile);
	l record;
	part numeric;
BEGIN
	IF wanted <= 0 THEN PERFORM model.fail('O2303'); END IF;
	IF model.available(members, in_program) < wanted THEN PERFORM model.fail('O2301'); END IF;
	FOR l IN SELECT * FROM model.lots v WHERE v.profile_id = ANY (members) AND v.program = in_program AND v.expires_at > now() AND v.remaining > 0 AND v.free > 0
		ORDER BY v.expires_at, v.profile_id <> profile, v.grant_month, v.account_id, v.funding
	LOOP
		EXIT WHEN wanted = 0;
		part := least(l.free, wanted);
		wanted := wanted - part;
		INSERT INTO model.part VALUES (hold, l.profile_id, in_program, l.expires_at, l.grant_month, l.funding, part, until);
	END LOOP;
	INSERT INTO model.hold VALUES (hold, profile, in_program, 'hold', until, 'open', NULL);
END $$;

CREATE FUNCTION model.open_hold(number bigint) RETURNS model.hold LANGUAGE plpgsql AS $$
DECLARE
	h model.hold;
BEGIN
	SELECT * INTO h FROM model.hold WHERE hold_id = number;
	IF NOT FOUND THEN PERFORM model.fail('O2306'); END IF;
	IF h.state <> 'open' OR h.held_until <= now() THEN PERFORM model.fail('O2307'); END IF;
	RETURN h;
END $$;

CREATE FUNCTION model.capture(number bigint, wanted numeric, transfer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	h model.hold := model.open_hold(number);
	total numeric := (SELECT sum(amount) FROM model.part WHERE hold_id = number);
	p record;
	part numeric;
BEGIN
	wanted := coalesce(wanted, total);
	IF wanted <= 0 THEN PERFORM model.fail('O2303'); END IF;
	IF h.kind <> 'hold' THEN PERFORM model.fail('22023'); END IF;
	IF wanted > total THEN PERFORM model.fail('O2308'); END IF;
	UPDATE model.hold SET state = 'captured', transfer_id = transfer WHERE hold_id = number;
	FOR p IN SELECT * FROM model.part q WHERE q.hold_id = number
		ORDER BY q.expires_at, q.profile_id <> h.profile_id, q.grant_month, model.account(q.profile_id, h.program), q.funding
	LOOP
		EXIT WHEN wanted = 0;
		part := least(p.amount, wanted);
		wanted := wanted - part;
		PERFORM model.change_lot(p.profile_id, h.program, p.expires_at, p.grant_month, p.funding, 'burn', -part);
		INSERT INTO model.move VALUES (transfer, NULL, h.profile_id, 'burn', p.profile_id, h.program, p.expires_at, p.grant_month, p.funding, -part);
	END LOOP;
	DELETE FROM model.part WHERE hold_id = number;
END $$;

CREATE FUNCTION model.void(number bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	h model.hold := model.open_hold(number);
BEGIN
	IF h.kind <> 'hold' THEN PERFORM model.fail('22023'); END IF;
	UPDATE model.hold SET state = 'void' WHERE hold_id = number;
	DELETE FROM model.part WHERE hold_id = number;
END $$;

CREATE FUNCTION model.activate(transfer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	pending bigint := (SELECT max(hold_id) FROM model.hold WHERE transfer_id = transfer AND kind = 'pending');
BEGIN
	IF pending IS NULL THEN PERFORM model.fail('O2309'); END IF;
	PERFORM model.open_hold(pending);
	UPDATE model.hold SET state = 'void' WHERE hold_id = pending;
	DELETE FROM model.part WHERE hold_id = pending;
END $$;

CREATE FUNCTION model.refund(burn bigint, wanted numeric, transfer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	first model.move;
	left_over numeric;
	rule model.program;
	l record;
	part numeric;
	again timestamptz;
BEGIN
	SELECT * INTO first FROM model.move WHERE transfer_id = burn AND kind = 'burn' LIMIT 1;
	IF NOT FOUND THEN PERFORM model.fail('O2309'); END IF;
	SELECT * INTO rule FROM model.program WHERE program = first.program;
	left_over := (SELECT -sum(amount) FROM model.move WHERE transfer_id = burn AND kind = 'burn' OR reverses = burn AND kind = 'refund');
	wanted := coalesce(wanted, left_over);
	IF wanted > left_over OR left_over = 0 THEN PERFORM model.fail('O2308'); END IF;
	IF wanted <= 0 THEN PERFORM model.fail('O2303'); END IF;
	FOR l IN SELECT m.profile_id, m.expires_at, m.grant_month, m.funding, -sum(m.amount) AS amount FROM model.move m
		WHERE m.transfer_id = burn AND m.kind = 'burn' OR m.reverses = burn AND m.kind = 'refund'
		GROUP BY 1, 2, 3, 4 HAVING sum(m.amount) < 0
		ORDER BY m.expires_at DESC, m.profile_id = first.acting, m.grant_month DESC, model.account(m.profile_id, first.program) DESC, m.funding DESC
	LOOP
		EXIT WHEN wanted = 0;
		part := least(l.amount, wanted);
		wanted := wanted - part;
		PERFORM model.change_lot(l.profile_id, first.program, l.expires_at, l.grant_month, l.funding, 'refund', part);
		INSERT INTO model.move VALUES (transfer, burn, first.acting, 'refund', l.profile_id, first.program, l.expires_at, l.grant_month, l.funding, part);
		IF rule.grace IS NOT NULL AND l.expires_at <= now() THEN
			again := model.expiry(first.program, now(), rule.grace);
			PERFORM model.change_lot(l.profile_id, first.program, l.expires_at, l.grant_month, l.funding, 'expire', -part);
			PERFORM model.grant_lot(l.profile_id, first.program, again, l.grant_month, l.funding, part);
			INSERT INTO model.move VALUES
				(transfer, burn, first.acting, 'expire', l.profile_id, first.program, l.expires_at, l.grant_month, l.funding, -part),
				(transfer, burn, first.acting, 'adjust', l.profile_id, first.program, again, l.grant_month, l.funding, part);
		END IF;
	END LOOP;
END $$;

CREATE FUNCTION model.take(profile bigint, in_program text, wanted numeric, transfer bigint, reversed bigint, kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	members bigint[] := model.members(profile);
	taken numeric := greatest(least(wanted, model.available(members, in_program)), 0);
	owed numeric := wanted - taken;
BEGIN
	IF taken > 0 THEN
		PERFORM model.draw(members, profile, in_program, taken, transfer, reversed, kind);
	END IF;
	IF owed > 0 AND (SELECT policy FROM model.program WHERE program = in_program) <> 'available' THEN
		INSERT INTO model.debt AS d VALUES (profile, in_program, owed)
		ON CONFLICT (profile_id, program) DO UPDATE SET amount = d.amount + owed;
		INSERT INTO model.move VALUES (transfer, reversed, profile, kind, profile, in_program, NULL, NULL, NULL, -owed);
	END IF;
END $$;

CREATE FUNCTION model.take_back(earn bigint, earned_as text, wanted numeric, kind text, transfer bigint) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	first model.move;
	rest numeric;
	pending model.hold;
	aside model.part;
	own record;
	part numeric;
	taken numeric := 0;
	again bigint;
BEGIN
	SELECT * INTO first FROM model.move m WHERE m.transfer_id = earn AND m.kind = earned_as AND m.amount > 0 LIMIT 1;
	IF NOT FOUND THEN PERFORM model.fail('O2309'); END IF;
	rest := (SELECT sum(m.amount) FROM model.move m WHERE m.transfer_id = earn AND m.kind = earned_as AND m.amount > 0)
		+ coalesce((SELECT sum(m.amount) FROM model.move m WHERE m.reverses = earn AND m.kind IN ('clawback', 'reverse')), 0)
		+ coalesce((SELECT sum(m.amount) FROM model.move m WHERE m.reverses IN
			(SELECT c.transfer_id FROM model.move c WHERE c.reverses = earn AND c.kind = 'clawback')), 0);
	IF wanted > rest OR rest = 0 THEN PERFORM model.fail('O2308'); END IF;
	rest := coalesce(wanted, rest);
	IF rest <= 0 THEN PERFORM model.fail('O2303'); END IF;
	SELECT * INTO pending FROM model.hold h WHERE h.transfer_id = earn AND h.kind = 'pending' AND h.state = 'open' AND h.held_until > now();
	SELECT * INTO aside FROM model.part WHERE hold_id = pending.hold_id;
	UPDATE model.hold SET state = 'void' WHERE hold_id = pending.hold_id;
	DELETE FROM model.part WHERE hold_id = pending.hold_id;

	-- Of its own lot what is there, and then what expired from it.
	FOR own IN SELECT l.* FROM model.lots l JOIN model.move m ON m.profile_id = l.profile_id AND m.program = l.program
			AND m.expires_at = l.expires_at AND m.grant_month = l.grant_month AND m.funding = l.funding
		WHERE m.transfer_id = earn AND m.kind = earned_as AND m.amount > 0
	LOOP
		part := least(rest, own.expired, greatest(rest - own.free, 0));
		IF part > 0 THEN
			PERFORM model.change_lot(own.profile_id, own.program, own.expires_at, own.grant_month, own.funding, 'expire', part);
			INSERT INTO model.move VALUES (transfer, earn, first.acting, 'expire', own.profile_id, own.program, own.expires_at, own.grant_month, own.funding, part);
		END IF;
		part := least(rest, own.free + part);
		IF part > 0 THEN
			PERFORM model.change_lot(own.profile_id, own.program, own.expires_at, own.grant_month, own.funding, kind, -part);
			INSERT INTO model.move VALUES (transfer, earn, first.acting, kind, own.profile_id, own.program, own.expires_at, own.grant_month, own.funding, -part);
			taken := taken + part;
			rest := rest - part;
		END IF;
	END LOOP;
	IF aside.amount > taken THEN
		again := (SELECT max(hold_id) FROM o2o.points_hold h WHERE h.transfer_id = earn AND h.kind = 'pending');
		INSERT INTO model.hold VALUES (again, pending.profile_id, pending.program, 'pending', pending.held_until, 'open', earn);
		INSERT INTO model.part VALUES (again, aside.profile_id, aside.program, aside.expires_at, aside.grant_month, aside.funding, aside.amount - taken, aside.held_until);
	END IF;
	IF rest > 0 THEN
		PERFORM model.take(first.profile_id, first.program, rest, transfer, earn, kind);
	END IF;
END $$;

CREATE FUNCTION model.adjust(profile bigint, in_program text, change numeric, transfer bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF change = 0 THEN PERFORM model.fail('O2303'); END IF;
	IF change < 0 THEN
		IF (SELECT policy FROM model.program WHERE program = in_program) = 'available' AND model.available(model.members(profile), in_program) < -change THEN
			PERFORM model.fail('O2301');
		END IF;
		PERFORM model.take(profile, in_program, -change, transfer, NULL, 'adjust');
		RETURN;
	END IF;
	change := model.repay(profile, in_program, change, transfer, NULL, 'adjust');
	IF change > 0 THEN
		PERFORM model.grant_lot(profile, in_program, model.expiry(in_program, now()), model.month(now()), 'program', change);
		INSERT INTO model.move VALUES (transfer, NULL, profile, 'adjust', profile, in_program,
			model.expiry(in_program, now()), model.month(now()), 'program', change);
	END IF;
END $$;

CREATE FUNCTION model.reverse(undone bigint, transfer bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	kinds text[] := (SELECT array_agg(DISTINCT kind) FROM model.move WHERE transfer_id = undone);
	up boolean := (SELECT bool_and(amount > 0) FROM model.move WHERE transfer_id = undone);
	rest numeric;
	l record;
	first model.move;
BEGIN
	IF kinds IS NULL THEN PERFORM model.fail('O2309'); END IF;
	IF kinds = '{burn}' THEN
		PERFORM model.refund(undone, NULL, transfer);
	ELSIF up AND kinds[1] IN ('earn', 'adjust') AND cardinality(kinds) = 1 THEN
		PERFORM model.take_back(undone, kinds[1], NULL, 'reverse', transfer);
	ELSIF kinds <@ '{clawback,expire}' AND 'clawback' = ANY (kinds) OR kinds = '{adjust}' THEN
		IF EXISTS (SELECT FROM model.move WHERE reverses = undone) THEN PERFORM model.fail('O2308'); END IF;
		SELECT * INTO first FROM model.move WHERE transfer_id = undone AND kind <> 'expire' LIMIT 1;
		rest := (SELECT -sum(amount) FROM model.move WHERE transfer_id = undone AND kind <> 'expire');
		FOR l IN SELECT m.profile_id, m.expires_at, m.grant_month, m.funding, -sum(m.amount) AS amount FROM model.move m
			WHERE m.transfer_id = undone AND m.kind <> 'expire' AND m.expires_at IS NOT NULL GROUP BY 1, 2, 3, 4
		LOOP
			PERFORM model.change_lot(l.profile_id, first.program, l.expires_at, l.grant_month, l.funding, 'reverse', l.amount);
			INSERT INTO model.move VALUES (transfer, undone, first.acting, 'reverse', l.profile_id, first.program, l.expires_at, l.grant_month, l.funding, l.amount);
			rest := rest - l.amount;
		END LOOP;
		IF rest > 0 THEN
			rest := model.repay(first.acting, first.program, rest, transfer, undone, 'reverse');
		END IF;
		IF rest > 0 THEN
			PERFORM model.grant_lot(first.acting, first.program, model.expiry(first.program, now()), model.month(now()), 'program', rest);
			INSERT INTO model.move VALUES (transfer, undone, first.acting, 'adjust', first.acting, first.program,
				model.expiry(first.program, now()), model.month(now()), 'program', rest);
		END IF;
	ELSE
		PERFORM model.fail('22023');
	END IF;
END $$;

CREATE FUNCTION model.expire() RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	l record;
BEGIN
	FOR l IN SELECT * FROM model.lots WHERE expires_at <= now() AND remaining > 0 AND free > 0 LOOP
		PERFORM model.change_lot(l.profile_id, l.program, l.expires_at, l.grant_month, l.funding, 'expire', -l.free);
	END LOOP;
END $$;

-- A random operation with its arguments.
CREATE TYPE model.choice AS (operation text, who bigint, whom bigint, program text, amount numeric, part numeric, at timestamptz, until timestamptz,
	funded text, transfer bigint, hold bigint);

CREATE FUNCTION model.choose(people bigint[], programs text[], transfers bigint[], holds bigint[]) RETURNS model.choice LANGUAGE plpgsql AS $$
DECLARE
	c model.choice;
BEGIN
	c.operation := (ARRAY['earn','earn','earn','earn','earn','earn_pending','burn','burn','burn','gift','gift','hold','hold','capture','void','activate',
		'refund','refund','clawback','clawback','adjust','reverse','expire','merge','unmerge'])[1 + floor(random() * 25)];
	-- A third of the people belong to customers of several profiles, but for the first steps.
	IF c.operation IN ('merge', 'unmerge') THEN
		c.operation := CASE WHEN (SELECT count(*) FROM o2o.identity_merge WHERE undone_at IS NULL) < 10 + random() * 10 THEN 'merge' ELSE 'unmerge' END;
	END IF;
	c.who := people[1 + floor(random() * cardinality(people))];
	c.whom := people[1 + floor(random() * cardinality(people))];
	c.program := programs[1 + floor(random() * cardinality(programs))];
	c.amount := floor(random() * 60) + CASE c.program WHEN 'careful' THEN floor(random() * 100) / 100 ELSE 0 END;
	c.part := CASE WHEN random() < 0.6 THEN floor(c.amount) END;		-- of a transfer or hold; NULL for all of it
	-- A few days only, so that lots of several profiles expire alike.
	c.at := now() - floor(random() * 28) * interval '15 days';
	c.until := now() + CASE WHEN random() < 0.4 THEN interval '2 milliseconds' WHEN random() < 0.5 THEN interval '50 milliseconds' ELSE interval '1 day' END;
	c.funded := CASE WHEN random() < 0.2 THEN 'campaign' ELSE 'program' END;
	c.transfer := transfers[1 + floor(random() * cardinality(transfers))];
	c.hold := holds[1 + floor(random() * cardinality(holds))];
	RETURN c;
END $$;

-- Done by the room: the number it gave, and what it changed in the sum of all balances but for what expired.
CREATE FUNCTION model.room(c model.choice, OUT number bigint, OUT change numeric) LANGUAGE plpgsql AS $$
BEGIN
	change := 0;
	CASE c.operation
		WHEN 'earn' THEN
			SELECT transfer_id, c.amount INTO number, change FROM o2o.points_earn(c.who, c.amount::o2o.points, c.program, occurred_at => c.at, funding => c.funded);
		WHEN 'earn_pending' THEN
			SELECT transfer_id, c.amount INTO number, change
			FROM o2o.points_earn(c.who, c.amount::o2o.points, c.program, occurred_at => c.at, funding => c.funded, activate_at => c.until);
		WHEN 'burn' THEN SELECT transfer_id, -c.amount INTO number, change FROM o2o.points_burn(c.who, c.amount::o2o.points, c.program);
		WHEN 'gift' THEN SELECT transfer_id INTO number FROM o2o.points_transfer(c.who, c.whom, c.amount::o2o.points, c.program);
		WHEN 'hold' THEN SELECT hold_id INTO number FROM o2o.points_hold(c.who, c.amount::o2o.points, c.program, expires_at => c.until);
		WHEN 'capture' THEN SELECT transfer_id, -captured::numeric INTO number, change FROM o2o.points_capture(c.hold, c.part::o2o.points);
		WHEN 'void' THEN PERFORM o2o.points_void(c.hold);
		WHEN 'activate' THEN PERFORM o2o.points_activate(c.transfer);
		WHEN 'refund' THEN SELECT refund_transfer_id, refunded::numeric INTO number, change FROM o2o.points_refund(c.transfer, c.part::o2o.points);
		WHEN 'clawback' THEN
			SELECT clawback_transfer_id, -(taken::numeric + owed::numeric) INTO number, change FROM o2o.points_clawback(c.transfer, c.part::o2o.points);
		WHEN 'adjust' THEN SELECT transfer_id, c.amount - 30 INTO number, change FROM o2o.points_adjust(c.who, (c.amount - 30)::o2o.points, c.program, 'model');
		WHEN 'reverse' THEN SELECT reverse_transfer_id, amount::numeric INTO number, change FROM o2o.points_reverse(c.transfer, 'model');
		WHEN 'expire' THEN SELECT o2o.points_expire(1000) INTO number;
		WHEN 'merge' THEN PERFORM o2o.customer_merge(c.who, c.whom, 'model');
		WHEN 'unmerge' THEN
			PERFORM o2o.customer_unmerge((SELECT merge_id FROM o2o.identity_merge WHERE undone_at IS NULL ORDER BY merge_id DESC LIMIT 1), 'model');
	END CASE;
END $$;

-- Each operation in both, with the same arguments, and what either says of it and of the balance afterwards.
CREATE PROCEDURE model.run(operations integer, seed double precision) LANGUAGE plpgsql AS $$
DECLARE
	people bigint[] := ARRAY(SELECT profile_id FROM o2o.profile ORDER BY profile_id);
	programs text[] := ARRAY(SELECT program FROM model.program ORDER BY program);
	transfers bigint[] := '{0}';
	holds bigint[] := '{0}';
	c model.choice;
	number bigint;
	got text;
	wanted text;
	b record;
BEGIN
	PERFORM setseed(seed);
	FOR n IN 1 .. operations LOOP
		IF n % 50 = 0 THEN
			DELETE FROM model.part WHERE held_until <= now();
		END IF;
		c := model.choose(people, programs, transfers, holds);
		number := NULL;
		got := 'done';
		BEGIN
			number := (model.room(c)).number;
			-- The sweep says 0 when nothing is left. Two in one transaction are for one client alone: they may meet 40P01.
			WHILE c.operation = 'expire' AND number > 0 LOOP
				number := (model.room(c)).number;
			END LOOP;
			number := CASE WHEN c.operation <> 'expire' THEN number END;
		EXCEPTION WHEN OTHERS THEN
			got := SQLSTATE;
		END;
		wanted := 'done';
		BEGIN
			CASE c.operation
				WHEN 'earn' THEN PERFORM model.earn(c.who, c.program, c.amount, c.at, c.funded, NULL, number);
				WHEN 'earn_pending' THEN PERFORM model.earn(c.who, c.program, c.amount, c.at, c.funded, c.until, number);
				WHEN 'burn' THEN PERFORM model.burn(c.who, c.program, c.amount, number);
				WHEN 'gift' THEN PERFORM model.gift(c.who, c.whom, c.program, c.amount, number);
				WHEN 'hold' THEN PERFORM model.hold(c.who, c.program, c.amount, c.until, coalesce(number, -n));
				WHEN 'capture' THEN PERFORM model.capture(c.hold, c.part, number);
				WHEN 'void' THEN PERFORM model.void(c.hold);
				WHEN 'activate' THEN PERFORM model.activate(c.transfer);
				WHEN 'refund' THEN PERFORM model.refund(c.transfer, c.part, number);
				WHEN 'clawback' THEN PERFORM model.take_back(c.transfer, 'earn', c.part, 'clawback', number);
				WHEN 'adjust' THEN PERFORM model.adjust(c.who, c.program, c.amount - 30, number);
				WHEN 'reverse' THEN PERFORM model.reverse(c.transfer, number);
				WHEN 'expire' THEN PERFORM model.expire();
				ELSE wanted := got;		-- who is one customer is the identity room's to say
			END CASE;
		EXCEPTION WHEN OTHERS THEN
			wanted := SQLSTATE;
		END;
		IF got = 'done' AND number IS NOT NULL AND c.operation = 'hold' THEN
			holds := (holds || number)[greatest(cardinality(holds) - 60, 1):];
		ELSIF got = 'done' AND number IS NOT NULL THEN
			transfers := (transfers || number)[greatest(cardinality(transfers) - 150, 1):];
		END IF;
		IF wanted = got THEN
			SELECT * INTO b FROM model.balance(model.members(c.who), c.program);
			wanted := format('%s %s %s %s', wanted, trim_scale(b.balance), trim_scale(b.held), trim_scale(b.available));
			SELECT * INTO b FROM o2o.points_balance(c.who) p WHERE p.program = c.program;
			got := format('%s %s %s %s', got, trim_scale(coalesce(b.balance::numeric, 0)), trim_scale(coalesce(b.held::numeric, 0)), trim_scale(coalesce(b.available::numeric, 0)));
		END IF;
		IF wanted <> got THEN
			INSERT INTO model.mismatch VALUES (n, c::text, wanted, got);
			COMMIT;
			EXIT;
		END IF;
		COMMIT;
	END LOOP;
	WHILE o2o.points_expire(1000) > 0 LOOP
		NULL;
	END LOOP;
	PERFORM model.expire();
END $$;

-- The same operations by the room alone, for many clients at a time; each keeps
-- its own account of what it did.
CREATE TABLE model.book (client integer, program text, change numeric);
CREATE PROCEDURE model.load(client integer, operations integer, seed double precision) LANGUAGE plpgsql AS $$
DECLARE
	people bigint[] := ARRAY(SELECT profile_id FROM o2o.profile ORDER BY profile_id);
	transfers bigint[] := '{0}';
	holds bigint[] := '{0}';
	c model.choice;
	did record;
	sum numeric := 0;
BEGIN
	PERFORM setseed(seed);
	FOR n IN 1 .. operations LOOP
		c := model.choose(people, '{forever}', transfers, holds);
		BEGIN
			did := model.room(c);
			sum := sum + did.change;
			IF did.number IS NOT NULL AND c.operation = 'hold' THEN
				holds := (holds || did.number)[greatest(cardinality(holds) - 60, 1):];
			ELSIF did.number IS NOT NULL AND c.operation <> 'expire' THEN
				transfers := (transfers || did.number)[greatest(cardinality(transfers) - 150, 1):];
			END IF;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE NOT IN ('O2202', 'O2203', 'O2204', 'O2206', 'O2301', 'O2303', 'O2306', 'O2307', 'O2308', 'O2309', '22023') THEN
				INSERT INTO model.mismatch VALUES (n, c::text, 'an error to expect', SQLSTATE || ' ' || SQLERRM);
			END IF;
		END;
		COMMIT;
	END LOOP;
	INSERT INTO model.book VALUES (client, 'forever', sum);
END $$;

-- All that differs between the room and the model.
CREATE VIEW model.difference AS
SELECT 'lot' AS what, to_jsonb(l) AS model, to_jsonb(o) AS room
FROM (SELECT profile_id, program, expires_at, grant_month, funding, granted, remaining, consumed, expired, clawed, held FROM model.lots) l
	FULL JOIN (
		SELECT o.profile_id, a.program, o.expires_at, o.grant_month, o.funding, o.granted::numeric, o.remaining::numeric, o.consumed::numeric,
			o.expired::numeric, o.clawed::numeric, o.held::numeric - coalesce(h.over, 0) AS held
		FROM o2o.points_lot o
			JOIN o2o.points_account a USING (profile_id, account_id)
			-- Portions that are over are in held until somebody locks the account.
			LEFT JOIN LATERAL (
				SELECT sum(t.amount::numeric) AS over FROM o2o.points_hold_part t
				WHERE t.is_open AND t.held_until <= now() AND t.profile_id = o.profile_id AND t.account_id = o.account_id
					AND t.expires_at = o.expires_at AND t.grant_month = o.grant_month AND t.funding = o.funding) h ON true
		) o USING (profile_id, program, expires_at, grant_month, funding)
WHERE (l.granted = o.granted AND l.remaining = o.remaining AND l.consumed = o.consumed AND l.expired = o.expired AND l.clawed = o.clawed AND l.held = o.held) IS NOT TRUE
UNION ALL
SELECT 'debt', to_jsonb(d), to_jsonb(o)
FROM (SELECT * FROM model.debt WHERE amount > 0) d
	FULL JOIN (SELECT profile_id, program, sum(debt::numeric) AS amount FROM o2o.points_account GROUP BY 1, 2 HAVING sum(debt::numeric) > 0) o USING (profile_id, program)
WHERE (d.amount = o.amount) IS NOT TRUE
UNION ALL
SELECT 'transfer', to_jsonb(m), to_jsonb(o)
FROM (SELECT transfer_id, profile_id, program, kind, sum(amount) AS amount FROM model.move GROUP BY 1, 2, 3, 4) m
	FULL JOIN (
		SELECT p.transfer_id, p.profile_id, a.program, p.operation AS kind, sum(p.amount::numeric) AS amount
		FROM o2o.points_posting p JOIN o2o.points_account a USING (profile_id, account_id)
		WHERE p.operation <> 'expire' OR p.reverses_transfer_id IS NOT NULL
		GROUP BY 1, 2, 3, 4) o USING (transfer_id, profile_id, program, kind)
WHERE (m.amount = o.amount) IS NOT TRUE;
