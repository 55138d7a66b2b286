-- order_place() of two lines by a known card, with points, one by one, each committed
-- count: 1000 orders
DO $$
DECLARE
	run bigint := nextval('public.run');
	shop bigint := (SELECT s.location_id FROM public.shop s);
BEGIN
	FOR i IN 1 .. 1000 LOOP
		PERFORM o2o.order_place(jsonb_build_object('card', 'c' || 1 + i * 7919 % 20000),
			jsonb_build_array(jsonb_build_object('sku', 'sku' || i % 1000, 'quantity', 2, 'unit_price', 12.5),
				jsonb_build_object('sku', 'sku' || i * 7 % 1000, 'unit_price', 30)),
			'pos', run || '/' || i, 'store', shop, points_program => 'club');
		COMMIT;
	END LOOP;
END $$;
