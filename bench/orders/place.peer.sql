-- the floor: the same rows by plain INSERTs into the same tables; person, prices and account known, nothing checked
-- count: 1000 orders
DO $$
DECLARE
	run bigint := nextval('public.run');
	shop bigint := (SELECT s.location_id FROM public.shop s);
	issuer bigint := (SELECT a.account_id FROM public.issuer a);
	expiry timestamptz := date_trunc('month', now() + interval '1 year 1 month');
	month date := date_trunc('month', now());
	buyer record;
	account record;
	request uuid;
	new_order_id bigint;
BEGIN
	FOR i IN 1 .. 1000 LOOP
		SELECT b.profile_id, b.account_id INTO buyer FROM public.buyer b WHERE b.n = 1 + i * 7919 % 20000;
		request := gen_random_uuid();
		new_order_id := nextval('o2o.order_id_seq');
		INSERT INTO o2o.request (request_id, operation, payload_hash, result)
		VALUES (request, 'order_place', sha256('order'), jsonb_build_object('order_id', new_order_id));
		UPDATE o2o.points_account a SET version = a.version + 1, balance = a.balance OPERATOR(o2o.+) 55::o2o.points, posted_at = clock_timestamp()
		WHERE a.profile_id = buyer.profile_id AND a.account_id = buyer.account_id
		RETURNING a.version, a.balance, a.posted_at INTO account;
		INSERT INTO o2o.points_posting (profile_id, account_id, version, transfer_id, contra_account_id, operation, amount, balance,
			expires_at, grant_month, funding, request_id, acting_profile_id, customer_id, reference, reason, occurred_at, posted_at, seq)
		VALUES (buyer.profile_id, buyer.account_id, account.version, nextval('o2o.points_transfer_id_seq'), issuer, 'earn', 55, account.balance,
			expiry, month, 'program', request, buyer.profile_id, buyer.profile_id, 'order/pos/' || run || '/' || i, 'order', now(), account.posted_at,
			pg_current_xact_id()::text::bigint);
		INSERT INTO o2o.points_lot AS l (profile_id, account_id, expires_at, grant_month, funding, granted, remaining)
		VALUES (buyer.profile_id, buyer.account_id, expiry, month, 'program', 55, 55)
		ON CONFLICT ON CONSTRAINT points_lot_pkey DO UPDATE
		SET granted = l.granted OPERATOR(o2o.+) excluded.granted, remaining = l.remaining OPERATOR(o2o.+) excluded.remaining;
		INSERT INTO o2o.sales_order (profile_id, order_id, source, source_id, request_id, channel_sold, location_sold, channel_fulfilled,
			location_fulfilled, currency, total, points_program, points_earned, ordered_at)
		VALUES (buyer.profile_id, new_order_id, 'pos', run || '/' || i, request, 'store', shop, 'store', shop, 'CNY', 55, 'club', 55, now());
		INSERT INTO o2o.order_line (profile_id, order_id, line_no, sku, quantity, unit_price, discount, amount)
		VALUES (buyer.profile_id, new_order_id, 1, 'sku' || i % 1000, 2, 12.5, 0, 25),
			(buyer.profile_id, new_order_id, 2, 'sku' || i * 7 % 1000, 1, 30, 0, 30);
		INSERT INTO o2o.payment (profile_id, order_id, payment_no, method, amount) VALUES (buyer.profile_id, new_order_id, 1, 'unspecified', 55);
		INSERT INTO o2o.touchpoint (profile_id, occurred_at, stage, verb, channel, source, event_id, location_id, order_id)
		VALUES (buyer.profile_id, now(), 'deal', 'order_completed', 'store', 'pos', 'order/' || run || '/' || i, shop, new_order_id);
		COMMIT;
	END LOOP;
END $$;
