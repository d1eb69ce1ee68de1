-- What Redshift has and DuckDB has not: functions whose behaviour depends on types, and system views.
-- Runs once for every database that is opened, in a catalog of its own that is kept in memory,
-- so that the files of users hold nothing of it.

CREATE SCHEMA memory.redshift;

CREATE MACRO memory.redshift.redshift_sysdate() AS CAST(now() AS TIMESTAMP);
CREATE MACRO memory.redshift.redshift_getdate() AS date_trunc('second', CAST(now() AS TIMESTAMP));

CREATE MACRO memory.redshift.redshift_trunc
    (x TIMESTAMP) AS CAST(x AS DATE),
    (x TIMESTAMPTZ) AS CAST(x AS DATE),
    (x DATE) AS x,
    (x DOUBLE) AS trunc(x),
    (x HUGEINT) AS x,
    (x DECIMAL(38, 10)) AS trunc(x);

CREATE MACRO memory.redshift.redshift_divide
    (a SMALLINT, b SMALLINT) AS a // b,
    (a SMALLINT, b INTEGER) AS a // b,
    (a SMALLINT, b BIGINT) AS a // b,
    (a SMALLINT, b HUGEINT) AS a // b,
    (a INTEGER, b SMALLINT) AS a // b,
    (a INTEGER, b INTEGER) AS a // b,
    (a INTEGER, b BIGINT) AS a // b,
    (a INTEGER, b HUGEINT) AS a // b,
    (a BIGINT, b SMALLINT) AS a // b,
    (a BIGINT, b INTEGER) AS a // b,
    (a BIGINT, b BIGINT) AS a // b,
    (a BIGINT, b HUGEINT) AS a // b,
    (a HUGEINT, b SMALLINT) AS a // b,
    (a HUGEINT, b INTEGER) AS a // b,
    (a HUGEINT, b BIGINT) AS a // b,
    (a HUGEINT, b HUGEINT) AS a // b,
    (a DOUBLE, b DOUBLE) AS CASE WHEN b = 0 THEN error('Division by zero') ELSE a / b END;

CREATE MACRO memory.redshift.redshift_avg
    (x HUGEINT) AS CAST(trunc(avg(x)) AS BIGINT),
    (x DOUBLE) AS avg(x);

CREATE MACRO memory.redshift.redshift_json_parse(x) AS CAST(CAST(x AS JSON) AS VARIANT);
CREATE MACRO memory.redshift.redshift_json_serialize(x) AS CAST(CAST(x AS JSON) AS VARCHAR);
CREATE MACRO memory.redshift.redshift_is_valid_json(x) AS
    json_valid(x) AND json_type(CASE WHEN json_valid(x) THEN x END) IN ('OBJECT', 'ARRAY');
CREATE MACRO memory.redshift.redshift_is_valid_json_array(x) AS
    json_valid(x) AND json_type(CASE WHEN json_valid(x) THEN x END) = 'ARRAY';
CREATE MACRO memory.redshift.redshift_json_array_element(x, i) AS
    json_extract_string(CAST(x AS JSON), '$[' || i || ']');
CREATE MACRO memory.redshift.redshift_json_array_length(x) AS json_array_length(CAST(x AS JSON));
CREATE MACRO memory.redshift.redshift_json_typeof(x) AS
    CASE json_type(CAST(x AS JSON))
        WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN 'string'
        WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' ELSE 'number' END;
CREATE MACRO memory.redshift.redshift_array_length(x) AS json_array_length(CAST(x AS JSON));
CREATE MACRO memory.redshift.redshift_is_array(x) AS json_type(CAST(x AS JSON)) = 'ARRAY';
CREATE MACRO memory.redshift.redshift_is_object(x) AS json_type(CAST(x AS JSON)) = 'OBJECT';

CREATE MACRO memory.redshift.redshift_strtol(x, base) AS
    CASE base WHEN 16 THEN CAST('0x' || x AS BIGINT) WHEN 10 THEN CAST(x AS BIGINT)
        ELSE error('STRTOL with this base is not supported by Penstock Local') END;
CREATE MACRO memory.redshift.redshift_compare(a, b) AS
    CASE WHEN a < b THEN -1 WHEN a > b THEN 1 WHEN a = b THEN 0 END;
CREATE MACRO memory.redshift.redshift_year(x) AS CAST(year(x) AS INTEGER);
CREATE MACRO memory.redshift.redshift_sha2(x, bits) AS
    CASE bits WHEN 256 THEN sha256(x) WHEN 0 THEN sha256(x)
        ELSE error('SHA2 with this number of bits is not supported by Penstock Local') END;
CREATE MACRO memory.redshift.redshift_quote_ident(x) AS
    CASE WHEN regexp_full_match(x, '[a-z_][a-z0-9_$]*') THEN x ELSE '"' || replace(x, '"', '""') || '"' END;
CREATE MACRO memory.redshift.redshift_quote_literal(x) AS '''' || replace(x, '''', '''''') || '''';

CREATE MACRO memory.redshift.pg_last_copy_count() AS coalesce(getvariable('redshift_copy_count'), 0);
CREATE MACRO memory.redshift.pg_last_unload_count() AS coalesce(getvariable('redshift_unload_count'), 0);
CREATE MACRO memory.redshift.pg_backend_pid() AS 1073741824;

-- Errors of COPY, the last ones of this database since it was opened.
CREATE TABLE memory.redshift.load_errors (
    query BIGINT, starttime TIMESTAMP, table_name VARCHAR, filename VARCHAR, line_number BIGINT,
    colname VARCHAR, type VARCHAR, col_length VARCHAR, raw_line VARCHAR, raw_field_value VARCHAR,
    err_code INTEGER, err_reason VARCHAR);

CREATE VIEW memory.redshift.stl_load_errors AS
    SELECT query, starttime, filename, line_number, colname, type, col_length, raw_line,
        raw_field_value, err_code, err_reason, table_name
    FROM memory.redshift.load_errors;
CREATE VIEW memory.redshift.sys_load_error_detail AS
    SELECT query AS query_id, starttime AS start_time, table_name, filename AS file_name, line_number,
        colname AS column_name, type AS column_type, col_length AS column_length, raw_line,
        raw_field_value AS error_value, err_code AS error_code, err_reason AS error_message
    FROM memory.redshift.load_errors;

-- The catalog as Redshift shows it. A column's comment holds its declared type where DuckDB's does not say it.
CREATE MACRO memory.redshift.redshift_type_name(data_type, declared) AS
    coalesce(declared, CASE data_type
        WHEN 'SMALLINT' THEN 'smallint' WHEN 'INTEGER' THEN 'integer' WHEN 'BIGINT' THEN 'bigint'
        WHEN 'HUGEINT' THEN 'bigint' WHEN 'FLOAT' THEN 'real' WHEN 'DOUBLE' THEN 'double precision'
        WHEN 'BOOLEAN' THEN 'boolean' WHEN 'DATE' THEN 'date' WHEN 'TIME' THEN 'time without time zone'
        WHEN 'TIMESTAMP' THEN 'timestamp without time zone'
        WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'timestamp with time zone'
        WHEN 'VARIANT' THEN 'super' WHEN 'JSON' THEN 'super' WHEN 'BLOB' THEN 'binary varying'
        WHEN 'VARCHAR' THEN 'character varying(256)'
        ELSE replace(lower(data_type), 'decimal', 'numeric') END);

CREATE VIEW memory.redshift.all_relations AS
    SELECT database_name, CASE WHEN temporary THEN 'pg_temp_1' ELSE schema_name END AS schema_name,
        table_name, 'BASE TABLE' AS table_type, estimated_size AS rows, column_count, temporary
    FROM duckdb_tables() WHERE NOT internal AND (temporary OR database_name = current_database())
    UNION ALL
    SELECT database_name, schema_name, view_name, 'VIEW', NULL, column_count, temporary
    FROM duckdb_views() WHERE NOT internal AND database_name = current_database();

CREATE VIEW memory.redshift.all_columns AS
    SELECT r.database_name, r.schema_name, c.table_name, r.table_type, c.column_name, c.column_index,
        redshift_type_name(c.data_type, c.comment) AS declared, c.is_nullable, c.column_default,
        c.data_type, c.numeric_precision, c.numeric_scale
    FROM duckdb_columns() c
    JOIN memory.redshift.all_relations r
        ON r.table_name = c.table_name AND r.database_name = c.database_name
        AND (r.temporary OR r.schema_name = c.schema_name);

CREATE VIEW memory.redshift.information_schema_tables AS
    SELECT current_database() AS table_catalog, schema_name AS table_schema, table_name,
        CASE WHEN temporary THEN 'LOCAL TEMPORARY' ELSE table_type END AS table_type
    FROM memory.redshift.all_relations;
CREATE VIEW memory.redshift.information_schema_columns AS
    SELECT current_database() AS table_catalog, schema_name AS table_schema, table_name, column_name,
        column_index AS ordinal_position, column_default,
        CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS is_nullable,
        split_part(declared, '(', 1) AS data_type,
        CASE WHEN declared LIKE 'character%' THEN
            CAST(regexp_extract(declared, '\((\d+)\)', 1) AS INTEGER) END AS character_maximum_length,
        CASE WHEN declared LIKE 'character%' THEN NULL ELSE numeric_precision END AS numeric_precision,
        CASE WHEN declared LIKE 'character%' THEN NULL ELSE numeric_scale END AS numeric_scale
    FROM memory.redshift.all_columns;
CREATE VIEW memory.redshift.information_schema_schemata AS
    SELECT current_database() AS catalog_name, schema_name, 'awsuser' AS schema_owner
    FROM duckdb_schemas() WHERE database_name = current_database() AND schema_name <> 'main';

CREATE VIEW memory.redshift.svv_tables AS
    SELECT table_catalog, table_schema, table_name, table_type, NULL AS remarks
    FROM memory.redshift.information_schema_tables;
CREATE VIEW memory.redshift.svv_columns AS
    SELECT *, NULL AS remarks FROM memory.redshift.information_schema_columns;
CREATE VIEW memory.redshift.svv_redshift_tables AS
    SELECT table_catalog AS database_name, table_schema AS schema_name, table_name,
        CASE table_type WHEN 'VIEW' THEN 'VIEW' ELSE 'TABLE' END AS table_type
    FROM memory.redshift.information_schema_tables;
CREATE VIEW memory.redshift.svv_all_tables AS SELECT * FROM memory.redshift.svv_redshift_tables;
CREATE VIEW memory.redshift.svv_redshift_columns AS
    SELECT table_catalog AS database_name, table_schema AS schema_name, table_name, column_name,
        ordinal_position, data_type, column_default, is_nullable, character_maximum_length,
        numeric_precision, numeric_scale
    FROM memory.redshift.information_schema_columns;
CREATE VIEW memory.redshift.svv_all_columns AS SELECT * FROM memory.redshift.svv_redshift_columns;
CREATE VIEW memory.redshift.svv_redshift_schemas AS
    SELECT catalog_name AS database_name, schema_name, 'local' AS schema_type
    FROM memory.redshift.information_schema_schemata;
CREATE VIEW memory.redshift.svv_all_schemas AS SELECT * FROM memory.redshift.svv_redshift_schemas;
CREATE VIEW memory.redshift.svv_table_info AS
    SELECT current_database() AS "database", schema_name AS "schema", table_name AS "table",
        'AUTO(EVEN)' AS diststyle, 'AUTO(SORTKEY)' AS sortkey1, CAST(rows AS DECIMAL(38, 0)) AS tbl_rows
    FROM memory.redshift.all_relations WHERE table_type = 'BASE TABLE' AND NOT temporary;
CREATE VIEW memory.redshift.pg_table_def AS
    SELECT schema_name AS schemaname, table_name AS tablename, column_name AS "column",
        declared AS type, 'none' AS encoding, false AS distkey, 0 AS sortkey, NOT is_nullable AS notnull
    FROM memory.redshift.all_columns WHERE table_type = 'BASE TABLE';
