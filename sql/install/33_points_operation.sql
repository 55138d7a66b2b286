-- What each operation of the ledger means. The table is src/points/operation.c.

CREATE FUNCTION o2o.points_operation()
RETURNS TABLE (operation text, contra_kinds text[], above_zero boolean, below_zero boolean, lot_above_zero text, lot_below_zero text, owes boolean)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 16 AS 'MODULE_PATHNAME', 'o2o_points_operation_rows';
COMMENT ON FUNCTION o2o.points_operation() IS 'The operations of the ledger, one row each: name, kinds of account on the other side, whether an amount above or below zero can be posted, which column of points_lot that amount goes to (granted, consumed, expired, clawed; granted counts it as it is, the others with the opposite sign; NULL: there is no lot), and whether it may be posted without a lot to a member, which makes (below zero) or repays (above) a debt.';
