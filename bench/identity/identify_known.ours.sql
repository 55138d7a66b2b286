-- identify() of known customers by card and phone, one by one, each committed
-- count: 2000 calls
DO $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM o2o.identify(jsonb_build_object('card', 'c' || i * 7919 % 50000 + 1, 'phone', '+86' || 15000000000 + i * 7919 % 50000 + 1), 'crm');
		COMMIT;
	END LOOP;
END $$;
