-- order_import() of 20,000 orders of two lines by known cards, with points, staging included
-- count: 20000 orders
-- repeats: 3
DO $$
DECLARE
	run bigint := nextval('public.run');
BEGIN
	INSERT INTO o2o.import_order (batch_id, source, source_id, ordered_at, identifiers, channel_sold, location_sold, currency, payment_method, points_program)
	SELECT run, 'pos', run || '/' || n, now(), jsonb_build_object('card', 'c' || 1 + n * 7919 % 20000), 'store', 'pos/S1', 'CNY', 'cash', 'club'
	FROM generate_series(1, 20000) AS n;
	INSERT INTO o2o.import_order_line (batch_id, source, source_id, line_no, sku, quantity, unit_price)
	SELECT run, 'pos', run || '/' || n, l.line_no, 'sku' || n * l.factor % 1000, l.quantity, l.unit_price
	FROM generate_series(1, 20000) AS n, (VALUES (1, 1, 2, 12.5), (2, 7, 1, 30)) l (line_no, factor, quantity, unit_price);
	PERFORM o2o.order_import(run);
END $$;
