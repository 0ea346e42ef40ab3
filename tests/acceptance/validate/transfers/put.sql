-- load
PUT file:///tmp/data.csv @inbox;
