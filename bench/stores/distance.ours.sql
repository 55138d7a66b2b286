-- 1,000,000 exact distances
SELECT sum(store.pos OPERATOR(o2o.<->) asked.pos) FROM store, asked WHERE asked.id <= 10100;
