-- points_post_many, 1,000 payments to one seller a call
-- count: 10000 payments
DO $$
BEGIN
	FOR b IN 0 .. 9 LOOP
		PERFORM o2o.points_post_many(array_fill('pay'::text, ARRAY[1000]), (SELECT array_agg(m.profile_id ORDER BY i) FROM generate_series(1, 1000) AS i JOIN public.member m ON m.n = 2001 + (i + b * 1000) * 7919 % 17000),
			array_fill('1'::o2o.points, ARRAY[1000]), array_fill('club'::text, ARRAY[1000]), (SELECT array_agg(m.profile_id ORDER BY i) FROM generate_series(1, 1000) AS i JOIN public.member m ON m.n = 1));
		COMMIT;
	END LOOP;
END $$;
