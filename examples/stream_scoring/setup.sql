-- What a project has already: a stream on the table that orders come into.
CREATE STREAM IF NOT EXISTS sfml.order_risk.new_orders ON TABLE sfml.order_risk.orders APPEND_ONLY = TRUE;
-- And new orders, of which one is risky.
INSERT INTO sfml.order_risk.orders VALUES (101, 40, 0, 'new'), (102, 950, 1, 'new'), (103, 15, 1, 'new');
