-- the floor: one UPDATE of a bigint balance and one INSERT, nothing else kept or checked
-- count: 2000 calls
DO $$
DECLARE
	new_balance bigint;
BEGIN
	FOR i IN 1 .. 2000 LOOP
		UPDATE public.plain_account a SET balance = a.balance + 25 WHERE a.id = 1 + i * 7919 % 20000 RETURNING a.balance INTO new_balance;
		INSERT INTO public.plain_posting (account, amount, balance, reference) VALUES (1 + i * 7919 % 20000, 25, new_balance, 'pos/' || i);
		COMMIT;
	END LOOP;
END $$;
