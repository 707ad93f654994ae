CREATE TABLE items (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	quantity INTEGER NOT NULL,
	location TEXT NOT NULL
);
INSERT INTO items (name, quantity, location) VALUES
	('laptop', 12, 'store room 1'),
	('badge', 140, 'front desk'),
	('switch', 3, 'server room'),
	('cable', 420, 'store room 2');
