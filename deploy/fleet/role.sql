-- Run once, when the database is made.
\getenv password VIGIE_PASSWORD
CREATE ROLE vigie LOGIN PASSWORD :'password';
CREATE DATABASE vigie OWNER vigie ENCODING 'UTF8' TEMPLATE template0;
