-- set-based SQL over the same tables, with points_write_sql
-- count: 10000 transfers
DO $$
BEGIN
	FOR b IN 0 .. 9 LOOP
		PERFORM public.earn_many_sql((SELECT array_agg(m.profile_id) FROM generate_series(1, 1000) AS i JOIN public.member m ON m.n = 1 + (i + b * 1000) * 7919 % 20000),
			array_fill('25'::o2o.points, ARRAY[1000]), 'club');
		COMMIT;
	END LOOP;
END $$;
