-- the same to 1,000 sellers
-- count: 10000 payments
DO $$
BEGIN
	FOR i IN 0 .. 9 LOOP
		PERFORM o2o.points_post_many(array_fill('pay'::text, ARRAY[1000]), (SELECT p.payers FROM public.batch p WHERE p.b = i),
			array_fill('1'::o2o.points, ARRAY[1000]), array_fill('club'::text, ARRAY[1000]), (SELECT p.sellers FROM public.batch p WHERE p.b = i));
		COMMIT;
	END LOOP;
END $$;
