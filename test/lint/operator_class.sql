-- Every operator class of schema o2o is complete, as its access method sees it.
SELECT 'amvalidate', am.amname, c.opcname
FROM pg_opclass c JOIN pg_am am ON am.oid = c.opcmethod
WHERE c.opcnamespace = 'o2o'::regnamespace AND NOT amvalidate(c.oid);
