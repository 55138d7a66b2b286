-- The report room: views of points. Built-in types only. points_reserve and
-- points_budgets, which the ledger itself asks, stand in 31 and 32.

CREATE OR REPLACE VIEW o2o.points_liability AS
SELECT p.program, p.currency, coalesce(l.issued, 0) AS issued, coalesce(l.spent, 0) AS spent,
	coalesce(l.expired, 0) + coalesce(u.unswept, 0) AS expired, coalesce(l.adjusted, 0) AS adjusted,
	coalesce(b.balance, 0) - coalesce(u.unswept, 0) AS outstanding, r.cost_per_point, r.expected_redemption,
	round(greatest(coalesce(b.balance, 0) - coalesce(u.unswept, 0), 0) * r.cost_per_point * r.expected_redemption, 4) AS liability,
	coalesce(e.reserve, 0) AS reserve,
	round(greatest(coalesce(b.balance, 0) - coalesce(u.unswept, 0), 0) * r.cost_per_point * r.expected_redemption / nullif(e.reserve, 0), 4) AS reserve_ratio
FROM o2o.points_program p
	LEFT JOIN LATERAL (
		SELECT d.cost_per_point, d.expected_redemption FROM o2o.points_program_rate d
		WHERE d.program = p.program AND d.valid_from <= now()
		ORDER BY d.valid_from DESC LIMIT 1
	) r ON true
	LEFT JOIN (
		SELECT a.program, sum(t.amount::numeric) FILTER (WHERE t.operation IN ('earn', 'opening', 'exchange_in')) AS issued,
			-sum(t.amount::numeric) FILTER (WHERE t.operation IN ('burn', 'pay', 'exchange_out', 'refund')) AS spent,
			-sum(t.amount::numeric) FILTER (WHERE t.operation = 'expire') AS expired,
			sum(t.amount::numeric) FILTER (WHERE t.operation IN ('transfer_out', 'transfer_in', 'clawback', 'reverse', 'adjust')) AS adjusted
		FROM o2o.points_posting t
			JOIN o2o.points_account a ON a.profile_id = t.profile_id AND a.account_id = t.account_id
		WHERE a.kind IN ('member', 'debt')
		GROUP BY a.program
	) l ON l.program = p.program
	LEFT JOIN (
		SELECT a.program, sum(a.balance::numeric) AS balance FROM o2o.points_account a WHERE a.kind IN ('member', 'debt') GROUP BY a.program
	) b ON b.program = p.program
	LEFT JOIN (
		SELECT g.program, sum(g.remaining::numeric - g.held::numeric) AS unswept
		FROM (
			SELECT a.program, x.remaining, x.held
			FROM o2o.points_lot x
				JOIN o2o.points_account a ON a.profile_id = x.profile_id AND a.account_id = x.account_id
			WHERE x.expires_at <= now()
			UNION ALL
			SELECT a.program, x.remaining, x.held
			FROM (SELECT y.* FROM o2o.points_lapse y WHERE y.lapses_at <= now() OFFSET 0) a
				JOIN o2o.points_lot x ON x.profile_id = a.profile_id AND x.account_id = a.account_id
			WHERE x.expires_at > now()
		) g
		GROUP BY g.program
	) u ON u.program = p.program
	LEFT JOIN (
		SELECT n.program, sum(n.amount) AS reserve FROM o2o.points_reserve_entry n GROUP BY n.program
	) e ON e.program = p.program;
COMMENT ON VIEW o2o.points_liability IS 'One row per points program: where its points went, what the outstanding ones cost, and the money set aside for them. outstanding = issued − spent − expired + adjusted, debts set off. Points past their expiry, or gone for inactivity, count as expired before any sweep. Rates are those of now. Live.';
COMMENT ON COLUMN o2o.points_liability.program IS 'Points program';
COMMENT ON COLUMN o2o.points_liability.currency IS 'ISO 4217 currency of cost_per_point, liability and reserve';
COMMENT ON COLUMN o2o.points_liability.issued IS 'Points earned, opening balances, and points exchanged from other programs';
COMMENT ON COLUMN o2o.points_liability.spent IS 'Points burned, paid to sellers and exchanged to other programs, less refunds';
COMMENT ON COLUMN o2o.points_liability.expired IS 'Points expired';
COMMENT ON COLUMN o2o.points_liability.adjusted IS 'Points by adjustment, reversal, clawback and transfer; above zero: added';
COMMENT ON COLUMN o2o.points_liability.outstanding IS 'Points that members hold';
COMMENT ON COLUMN o2o.points_liability.cost_per_point IS 'Cost of a point in currency';
COMMENT ON COLUMN o2o.points_liability.expected_redemption IS 'Share of outstanding points expected to be redeemed, 0 to 1';
COMMENT ON COLUMN o2o.points_liability.liability IS 'outstanding × cost_per_point × expected_redemption, in currency';
COMMENT ON COLUMN o2o.points_liability.reserve IS 'Money set aside, in currency';
COMMENT ON COLUMN o2o.points_liability.reserve_ratio IS 'liability / reserve, 4 digits; NULL without a reserve';

CREATE OR REPLACE VIEW o2o.points_cohorts AS
SELECT m.program, m.grant_month, m.month,
	(extract(year FROM age(m.month, m.grant_month)) * 12 + extract(month FROM age(m.month, m.grant_month)))::integer AS months,
	sum(m.granted) AS granted, sum(m.redeemed) AS redeemed, sum(m.expired) AS expired, sum(m.taken_back) AS taken_back,
	sum(sum(m.granted - m.redeemed - m.expired - m.taken_back)) OVER (PARTITION BY m.program, m.grant_month ORDER BY m.month) AS outstanding
FROM (
	SELECT a.program, t.grant_month, date_trunc('month', t.occurred_at AT TIME ZONE p.time_zone)::date AS month,
		CASE e.counts WHEN 'granted' THEN t.amount::numeric ELSE 0 END AS granted,
		CASE e.counts WHEN 'consumed' THEN - t.amount::numeric ELSE 0 END AS redeemed,
		CASE e.counts WHEN 'expired' THEN - t.amount::numeric ELSE 0 END AS expired,
		CASE e.counts WHEN 'clawed' THEN - t.amount::numeric ELSE 0 END AS taken_back
	FROM o2o.points_posting t
		JOIN o2o.points_account a ON a.profile_id = t.profile_id AND a.account_id = t.account_id AND a.kind = 'member'
		JOIN o2o.points_program p ON p.program = a.program
		JOIN o2o.points_operation() o ON o.operation = t.operation
		CROSS JOIN LATERAL (SELECT CASE WHEN t.amount OPERATOR(o2o.>) 0 THEN o.lot_above_zero ELSE o.lot_below_zero END AS counts) e
	WHERE t.grant_month IS NOT NULL AND t.operation NOT IN ('transfer_out', 'transfer_in')
	UNION ALL
	-- Expired and not swept yet.
	SELECT a.program, l.grant_month, date_trunc('month', l.expires_at AT TIME ZONE p.time_zone)::date, 0, 0, l.remaining::numeric - l.held::numeric, 0
	FROM o2o.points_lot l
		JOIN o2o.points_account a ON a.profile_id = l.profile_id AND a.account_id = l.account_id
		JOIN o2o.points_program p ON p.program = a.program
	WHERE l.expires_at <= now() AND l.remaining OPERATOR(o2o.>) l.held
	UNION ALL
	-- Gone for inactivity and not posted yet; looked for once an account (OFFSET 0), not once a lot.
	SELECT a.program, l.grant_month, date_trunc('month', a.lapses_at AT TIME ZONE p.time_zone)::date, 0, 0, l.remaining::numeric - l.held::numeric, 0
	FROM (SELECT y.* FROM o2o.points_lapse y WHERE y.lapses_at <= now() OFFSET 0) a
		JOIN o2o.points_lot l ON l.profile_id = a.profile_id AND l.account_id = a.account_id
		JOIN o2o.points_program p ON p.program = a.program
	WHERE l.expires_at > now() AND l.remaining OPERATOR(o2o.>) l.held
) m
GROUP BY m.program, m.grant_month, m.month;
COMMENT ON VIEW o2o.points_cohorts IS 'One row per points program, month of grant and month in which something happened to the points of that month: the cohort triangle. Points may be added up in any direction, but for outstanding. Gifts between members keep their month and do not count. Points past their expiry count as expired in the month of their expiry, those gone for inactivity in the month when they went, swept or not. Months in the program''s time zone, by when things happened. Live.';
COMMENT ON COLUMN o2o.points_cohorts.program IS 'Points program';
COMMENT ON COLUMN o2o.points_cohorts.grant_month IS 'First day of the month in which the points were granted';
COMMENT ON COLUMN o2o.points_cohorts.month IS 'First day of the month in which it happened';
COMMENT ON COLUMN o2o.points_cohorts.months IS 'Months from grant_month to month';
COMMENT ON COLUMN o2o.points_cohorts.granted IS 'Points granted, by earning, opening balance, adjustment or exchange';
COMMENT ON COLUMN o2o.points_cohorts.redeemed IS 'Points burned, paid to sellers or exchanged, less refunds';
COMMENT ON COLUMN o2o.points_cohorts.expired IS 'Points expired';
COMMENT ON COLUMN o2o.points_cohorts.taken_back IS 'Points taken back by clawback, reversal or adjustment, less what was given back of that';
COMMENT ON COLUMN o2o.points_cohorts.outstanding IS 'Points of grant_month that are left at the end of month';

CREATE OR REPLACE VIEW o2o.points_statements AS
SELECT coalesce(c.customer_id, t.profile_id) AS customer_id, a.program, t.posted_at, t.occurred_at, t.transfer_id, t.profile_id, t.account_id, t.version,
	t.operation, t.amount::numeric AS amount,
	sum(t.amount::numeric) OVER (PARTITION BY coalesce(c.customer_id, t.profile_id), a.program
		ORDER BY t.posted_at, t.account_id, t.version ROWS UNBOUNDED PRECEDING) AS balance,
	t.expires_at, t.grant_month, t.funding, t.reference
FROM o2o.points_posting t
	JOIN o2o.points_account a ON a.profile_id = t.profile_id AND a.account_id = t.account_id AND a.kind IN ('member', 'debt')
	LEFT JOIN o2o.profile c ON c.profile_id = t.profile_id;
COMMENT ON VIEW o2o.points_statements IS 'One row per posting of a member: what happened to the points of a customer of today, lot by lot, in the order of posted_at, account_id, version. Ask for one customer_id. Live; times are instants.';
COMMENT ON COLUMN o2o.points_statements.customer_id IS 'Customer of today';
COMMENT ON COLUMN o2o.points_statements.program IS 'Points program';
COMMENT ON COLUMN o2o.points_statements.posted_at IS 'When it was posted';
COMMENT ON COLUMN o2o.points_statements.occurred_at IS 'When it happened';
COMMENT ON COLUMN o2o.points_statements.transfer_id IS 'Transfer, the same in all rows of one operation';
COMMENT ON COLUMN o2o.points_statements.profile_id IS 'Profile whose account it is';
COMMENT ON COLUMN o2o.points_statements.account_id IS 'Account';
COMMENT ON COLUMN o2o.points_statements.version IS 'Number of the posting in the account';
COMMENT ON COLUMN o2o.points_statements.operation IS 'What was done, such as earn, burn, expire, refund';
COMMENT ON COLUMN o2o.points_statements.amount IS 'Points; below zero they left';
COMMENT ON COLUMN o2o.points_statements.balance IS 'Points of the customer in the program after it, debts set off';
COMMENT ON COLUMN o2o.points_statements.expires_at IS 'When these points expire; infinity: never; NULL: a debt was made or repaid';
COMMENT ON COLUMN o2o.points_statements.grant_month IS 'First day of the month in which these points were granted; NULL: a debt was made or repaid';
COMMENT ON COLUMN o2o.points_statements.funding IS 'Who funds these points; program: the program itself; NULL: a debt was made or repaid';
COMMENT ON COLUMN o2o.points_statements.reference IS 'The caller''s document';

CREATE OR REPLACE VIEW o2o.points_seller_settlement AS
SELECT m.program, m.profile_id AS seller_profile_id, m.account_id, m.month, sum(m.received) AS received, sum(m.refunded) AS refunded, sum(m.settled) AS settled,
	sum(sum(m.received - m.refunded - m.settled)) OVER (PARTITION BY m.program, m.account_id ORDER BY m.month) AS balance
FROM (
	SELECT s.program, s.profile_id, s.account_id, date_trunc('month', t.occurred_at AT TIME ZONE p.time_zone)::date AS month,
		CASE WHEN t.amount OPERATOR(o2o.<) 0 THEN - t.amount::numeric ELSE 0 END AS received,
		CASE WHEN t.amount OPERATOR(o2o.>) 0 THEN t.amount::numeric ELSE 0 END AS refunded, 0::numeric AS settled
	FROM o2o.points_account s
		JOIN o2o.points_program p ON p.program = s.program
		JOIN o2o.points_posting t ON t.contra_account_id = s.account_id
	WHERE s.kind = 'seller'
	UNION ALL
	SELECT s.program, s.profile_id, s.account_id, date_trunc('month', t.occurred_at AT TIME ZONE p.time_zone)::date, 0, 0, - t.amount::numeric
	FROM o2o.points_account s
		JOIN o2o.points_program p ON p.program = s.program
		JOIN o2o.points_posting t ON t.profile_id = s.profile_id AND t.account_id = s.account_id
	WHERE s.kind = 'seller'
) m
GROUP BY m.program, m.profile_id, m.account_id, m.month;
COMMENT ON VIEW o2o.points_seller_settlement IS 'One row per seller account and month: points that members paid to it, that were refunded out of it, and that were settled with the seller. Points may be added up, but for balance. Months in the program''s time zone, by when things happened. Live; reads all postings.';
COMMENT ON COLUMN o2o.points_seller_settlement.program IS 'Points program';
COMMENT ON COLUMN o2o.points_seller_settlement.seller_profile_id IS 'Profile of the seller';
COMMENT ON COLUMN o2o.points_seller_settlement.account_id IS 'Account of the seller';
COMMENT ON COLUMN o2o.points_seller_settlement.month IS 'First day of the month in which it happened';
COMMENT ON COLUMN o2o.points_seller_settlement.received IS 'Points that members paid';
COMMENT ON COLUMN o2o.points_seller_settlement.refunded IS 'Points that members got back';
COMMENT ON COLUMN o2o.points_seller_settlement.settled IS 'Points settled (paid out)';
COMMENT ON COLUMN o2o.points_seller_settlement.balance IS 'Points owed to the seller at the end of the month: received − refunded − settled up to then';
