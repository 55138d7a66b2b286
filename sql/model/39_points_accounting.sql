-- The points room: what sales with points deferred, what of it is revenue by
-- now, and what is owed still. Reads only; the arithmetic is in the extension
-- (points_deferral, points_recognised).

CREATE OR REPLACE FUNCTION o2o.points_accounting(program text, as_of timestamptz DEFAULT now(), known_at timestamptz DEFAULT 'infinity')
RETURNS TABLE (grant_month date, funding text, granted numeric, clawed numeric, redeemed numeric, expired numeric, outstanding numeric,
	expected numeric, deferred numeric, clawed_deferral numeric, recognised numeric, breakage numeric, liability numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	estimate numeric;
BEGIN
	IF NOT EXISTS (SELECT FROM o2o.points_program p WHERE p.program = points_accounting.program) THEN
		RAISE EXCEPTION 'points program "%" does not exist', program
			USING ERRCODE = 'O2302', HINT = 'Make it with points_program_create().';
	END IF;
	estimate := (SELECT r.expected_redemption FROM o2o.points_program_rate r
		WHERE r.program = points_accounting.program AND r.valid_from < as_of
		ORDER BY r.valid_from DESC LIMIT 1);
	RETURN QUERY
	WITH rate AS MATERIALIZED (
		SELECT r.*, lead(r.valid_from, 1, 'infinity') OVER (ORDER BY r.valid_from) AS valid_to
		FROM o2o.points_program_rate r WHERE r.program = points_accounting.program
	), effect AS MATERIALIZED (
		SELECT o.operation, s.sign, CASE s.sign WHEN 1 THEN o.lot_above_zero ELSE o.lot_below_zero END AS counts
		FROM o2o.points_operation() o, (VALUES (1), (-1)) s (sign)
		WHERE o.operation NOT IN ('transfer_out', 'transfer_in')
	), posted AS (
		-- One row per kind of lot, rate of the time of its posting, and effect.
		SELECT p.grant_month, p.funding, p.expires_at, r.valid_from, e.counts, sum(p.amount::numeric) AS amount
		FROM o2o.points_account a
			JOIN o2o.points_posting p ON p.profile_id = a.profile_id AND p.account_id = a.account_id
			JOIN effect e ON e.operation = p.operation AND e.sign = CASE WHEN p.amount OPERATOR(o2o.>) 0 THEN 1 ELSE -1 END
			LEFT JOIN rate r ON p.occurred_at >= r.valid_from AND p.occurred_at < r.valid_to
		WHERE a.program = points_accounting.program AND a.kind = 'member' AND p.grant_month IS NOT NULL
			AND p.occurred_at < as_of AND p.posted_at <= known_at
		GROUP BY p.grant_month, p.funding, p.expires_at, r.valid_from, e.counts
	), lot AS (
		-- What has expired by as_of is gone, swept or not.
		SELECT l.*, CASE WHEN l.expires_at <= as_of THEN l.granted - l.clawed - l.redeemed ELSE l.swept END AS expired
		FROM (
			SELECT p.grant_month, p.funding, p.expires_at,
				coalesce(sum(p.amount) FILTER (WHERE p.counts = 'granted'), 0) AS granted,
				coalesce(- sum(p.amount) FILTER (WHERE p.counts = 'clawed'), 0) AS clawed,
				coalesce(- sum(p.amount) FILTER (WHERE p.counts = 'consumed'), 0) AS redeemed,
				coalesce(- sum(p.amount) FILTER (WHERE p.counts = 'expired'), 0) AS swept,
				coalesce(sum(CASE WHEN r.points_per_unit > 0
					THEN o2o.points_deferral(p.amount / r.points_per_unit, p.amount::o2o.points, r.value_per_point, r.expected_redemption, 4)
					ELSE round(p.amount * r.value_per_point * r.expected_redemption, 4) END) FILTER (WHERE p.counts = 'granted'), 0) AS deferred
			FROM posted p
				LEFT JOIN rate r ON r.valid_from = p.valid_from
			GROUP BY p.grant_month, p.funding, p.expires_at
		) l
	), cohort AS (
		SELECT l.grant_month, l.funding, sum(l.granted) AS granted, sum(l.clawed) AS clawed, sum(l.redeemed) AS redeemed, sum(l.expired) AS expired,
			sum(l.granted - l.clawed - l.redeemed - l.expired) AS outstanding, sum(l.deferred) AS deferred,
			sum(CASE WHEN l.granted > 0 THEN round(l.deferred * l.clawed / l.granted, 4) ELSE 0 END) AS clawed_deferral
		FROM lot l
		GROUP BY l.grant_month, l.funding
	)
	SELECT c.grant_month, c.funding, trim_scale(c.granted), trim_scale(c.clawed), trim_scale(c.redeemed), trim_scale(c.expired), trim_scale(c.outstanding),
		trim_scale(x.expected), c.deferred, c.clawed_deferral, v.recognised,
		v.recognised - round((c.deferred - c.clawed_deferral) * least(c.redeemed / nullif(c.granted - c.clawed, 0), 1), 4),
		c.deferred - c.clawed_deferral - v.recognised
	FROM cohort c
		CROSS JOIN LATERAL (SELECT least(c.redeemed + c.outstanding,
			greatest(c.redeemed, round((c.granted - c.clawed) * coalesce(estimate, 1), 4))) AS expected) x
		CROSS JOIN LATERAL (SELECT o2o.points_recognised(c.deferred - c.clawed_deferral, c.redeemed::o2o.points, x.expected::o2o.points, 4) AS recognised) v
	ORDER BY c.grant_month, c.funding;
END $$;
COMMENT ON FUNCTION o2o.points_accounting(text, timestamptz, timestamptz) IS 'Deferred revenue of a program by IFRS 15 (B39 to B46, example 52) and ASC 606, one row per month of grant and who funds the points, of what occurred before as_of and was posted up to known_at (give both, and a closed period answers the same for ever). Points: granted, clawed (taken back), redeemed (spent, less refunds), expired (swept or not), outstanding, and expected to be redeemed in all by the expected_redemption that held just before as_of (at least those redeemed, at most those and the outstanding). Money in the program''s currency, 4 digits: deferred when granted, by points_deferral() with the rate of that moment, the sale of a point being 1 / points_per_unit (where that is zero, the whole stand-alone price); clawed_deferral, what of it was undone; recognised as revenue so far, by points_recognised(), of which breakage is what it is ahead of the share of the points that was redeemed; liability, what is left to be recognised: deferred − clawed_deferral − recognised. Gifts between members keep their month. Error: O2302 unknown program.';

CREATE OR REPLACE FUNCTION o2o.points_liability_roll(program text, from_at timestamptz, to_at timestamptz, known_at timestamptz DEFAULT 'infinity',
	OUT opening numeric, OUT deferred numeric, OUT clawed numeric, OUT redeemed numeric, OUT breakage numeric, OUT closing numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first record;
	last record;
BEGIN
	IF (from_at < to_at) IS NOT TRUE THEN
		RAISE EXCEPTION 'a period must end after it begins'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('From %s until %s.', from_at, to_at);
	END IF;
	SELECT coalesce(sum(a.deferred), 0) AS deferred, coalesce(sum(a.clawed_deferral), 0) AS clawed, coalesce(sum(a.recognised), 0) AS recognised,
		coalesce(sum(a.breakage), 0) AS breakage, coalesce(sum(a.liability), 0) AS liability INTO first
	FROM o2o.points_accounting(points_liability_roll.program, from_at, known_at) a;
	SELECT coalesce(sum(a.deferred), 0) AS deferred, coalesce(sum(a.clawed_deferral), 0) AS clawed, coalesce(sum(a.recognised), 0) AS recognised,
		coalesce(sum(a.breakage), 0) AS breakage, coalesce(sum(a.liability), 0) AS liability INTO last
	FROM o2o.points_accounting(points_liability_roll.program, to_at, known_at) a;
	opening := first.liability;
	deferred := last.deferred - first.deferred;
	clawed := last.clawed - first.clawed;
	breakage := last.breakage - first.breakage;
	redeemed := last.recognised - first.recognised - breakage;
	closing := last.liability;
END $$;
COMMENT ON FUNCTION o2o.points_liability_roll(text, timestamptz, timestamptz, timestamptz) IS 'How the deferred revenue of a program went from the beginning of a period (from_at) to its end (to_at, not in it), as known at known_at, in the program''s currency: opening + deferred − clawed − redeemed − breakage = closing, to the last digit. deferred by sales; clawed: undone because points were taken back; redeemed: revenue of redeemed points at what was deferred for each; breakage: revenue of points that are not expected to be redeemed, with what a new estimate caught up (below zero: more are expected than before). By points_accounting(). Errors: O2302 unknown program, 22023 the period does not end after it begins.';
