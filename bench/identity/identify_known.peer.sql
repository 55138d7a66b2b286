-- the floor: a SELECT of the customer by one identifier, nothing checked or kept
-- count: 2000 calls
DO $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM p.customer_id FROM o2o.profile_identifier d JOIN o2o.profile p ON p.profile_id = d.profile_id
		WHERE d.identifier OPERATOR(o2o.=) ('card:c' || i * 7919 % 50000 + 1)::o2o.identifier;
		COMMIT;
	END LOOP;
END $$;
