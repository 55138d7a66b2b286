-- set-based SQL over the same tables, with points_write_sql
-- count: 10000 transfers
DO $$
BEGIN
	FOR i IN 0 .. 9 LOOP
		PERFORM public.earn_many_sql((SELECT p.members FROM public.batch p WHERE p.b = i),
			array_fill('25'::o2o.points, ARRAY[1000]), 'club');
		COMMIT;
	END LOOP;
END $$;
