-- The model keeps to the rules of a distributed database, as soon as it can tell.
SELECT to_regprocedure('o2o.distribution_lint()') IS NOT NULL AS has_lint \gset
\if :has_lint
SELECT * FROM o2o.distribution_lint();
\endif
