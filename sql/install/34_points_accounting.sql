-- Revenue that a sale with points defers, and when it is recognised: pure
-- arithmetic, by IFRS 15 and ASC 606. What a ledger comes to stands in the model.

CREATE FUNCTION o2o.points_deferral(sale numeric, points o2o.points, value_per_point numeric, expected_redemption numeric, digits integer DEFAULT 2) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN coalesce(round(sale * (points::numeric * value_per_point * expected_redemption)
	/ nullif(sale + points::numeric * value_per_point * expected_redemption, 0), digits), 0);
COMMENT ON FUNCTION o2o.points_deferral(numeric, o2o.points, numeric, numeric, integer) IS 'The part of a sale that is deferred for the points it earns, a promise of its own to the buyer: sale × S / (sale + S), where S = points × value_per_point × expected_redemption (0 to 1) is the stand-alone selling price of the points and sale that of the goods, all in one currency. Rounded to digits, half away from zero; below zero to tens, hundreds and so on. Relative stand-alone selling price: IFRS 15.74 to 15.80, B39 to B43 and example 52 (100,000 with 10,000 points of 1 at 95 %: 8,676); ASC 606-10-55-41 to 45.';

CREATE FUNCTION o2o.points_recognised(deferred numeric, redeemed o2o.points, expected o2o.points, digits integer DEFAULT 2) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN redeemed OPERATOR(o2o.>=) expected THEN deferred
	ELSE round(deferred * redeemed::numeric / expected::numeric, digits) END;
COMMENT ON FUNCTION o2o.points_recognised(numeric, o2o.points, o2o.points, integer) IS 'What of a deferred amount is recognised as revenue up to a moment: deferred × redeemed / expected, where redeemed are the points redeemed so far and expected those expected to be redeemed in all, by the estimate of that moment. All of it once no more are expected. A period''s revenue is what it comes to at its end less what it came to at its beginning, so that a new estimate is caught up in the period in which it is made; what was deferred stays as it was (cumulative catch-up). Rounded to digits, half away from zero. IFRS 15.B46 and example 52 (8,676; 4,500 of 9,500: 4,110; then 8,500 of 9,700: 3,493 more); ASC 606-10-55-46 to 49.';
