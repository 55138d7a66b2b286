-- the bound: COPY of the posting, account and lot rows into empty tables with the same indexes
-- count: 20000 transfers
TRUNCATE copy_posting, copy_account, copy_lot;
\copy copy_posting FROM 'build/copy_posting.csv'
\copy copy_account FROM 'build/copy_account.csv'
\copy copy_lot FROM 'build/copy_lot.csv'
