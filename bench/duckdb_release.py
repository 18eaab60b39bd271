#!/usr/bin/env python3
"""What a careful analyst would run instead: the same lawful cut, hand-written for DuckDB (pip install duckdb).

    duckdb_release.py taf|tmsis narrow|wide IN_DIR OUT_DIR

narrow = hhs/cms -> dhs/ice, immigration-enforcement/civil, decided on 2026-01-10, every element asked for
wide   = hhs/cms -> hhs/oig, program-administration/integrity, every element
IN_DIR holds what `chancery synth` writes. Writes zstd Parquet, one folder per origin. It decides nothing, proves nothing,
signs nothing and keeps no ledger: it is the floor for speed, not for trust. Prints seconds, rows and peak memory.
"""
import glob, os, resource, shutil, sys, time
import duckdb

kind, cut, src, out = sys.argv[1:5]
here = os.path.dirname(os.path.abspath(__file__))
shutil.rmtree(out, ignore_errors=True)
db = duckdb.connect()
db.execute(f"set threads=2; set memory_limit='{os.environ.get('DUCKDB_MEMORY', '16GB')}'; set preserve_insertion_order=false")
det = next((p for p in (f'{src}/determinations.parquet', f'{src}/determinations.csv') if os.path.exists(p)), None)
PLAINTIFFS = "('04','06','08','09','10','15','17','25','23','24','26','27','32','34','35','36','41','44','50','53')"
FOLD = "case {c} when '93' then '56' when '94' then '30' when '96' then '19' when '97' then '42' else {c} end"

def attributes(evidence: str, cases: str) -> str:
    """One row per subject: the attributes of CLASSIFY.md. `evidence`: origin, id, cit, imm, chip; `cases`: origin, id, case_num."""
    dets = f"select origin, trim(msis_id) id, determination d from {'read_csv' if det.endswith('csv') else 'read_parquet'}('{det}'{', all_varchar=true' if det.endswith('csv') else ''})"
    return f"""
    with e as (
      select origin, id, bool_or(cit='1') c, bool_or(cit='2') n, bool_or(cit='0') a, bool_or(imm='1') q, bool_or(imm='2') l,
             bool_or(imm='3') m, count(distinct chip) filter (chip in ('1','2','3','4')) chips, any_value(chip) filter (chip in ('1','2','3','4')) chip
      from ({evidence}) group by all),
    d as (select origin, id, bool_or(d='citizen') dc, bool_or(d='lawfully_present') dl, bool_or(d='not_lawfully_present') du from ({dets}) group by all),
    f as (select e.origin, e.id, coalesce(c,false) or coalesce(dc,false) c, coalesce(n,false) n, coalesce(a,false) a, coalesce(q,false) q,
                 coalesce(l,false) or coalesce(dl,false) l, coalesce(m,false) m, coalesce(du,false) u, chips, chip
          from e left join d using (origin, id)),
    g as (select *, case when not (c or n or a or q or l or m or u) or ((c or n) and (a or q or l or m or u)) then 'unknown'
                         when c then 'citizen' when n then 'national' else 'noncitizen' end citizenship from f),
    h as (select *, case when citizenship='unknown' or (u and (q or l)) then 'unknown' when citizenship in ('citizen','national') or q or l then 'lawful'
                         when u then 'not_lawful' else 'unknown' end presence,
                 case when chips=0 then 'unknown' when chips>1 or chip='4' then 'mixed' when chip='1' then 'medicaid' else 'other' end program from g),
    k as (select origin, case_num, bool_or(presence<>'not_lawful') bad from ({cases}) join h using (origin, id) where case_num <> '' group by all),
    o as (select origin, id, bool_or(bad) bad from ({cases}) join k using (origin, case_num) group by all)
    select h.origin, h.id, citizenship, presence, program, coalesce(bad, true) hide_address from h left join o using (origin, id)"""

def copy(sql: str, table: str):
    folder = f'{out}/{table}'
    os.makedirs(folder, exist_ok=True)
    db.execute(f"copy ({sql}) to '{folder}' (format parquet, compression zstd, partition_by (origin), overwrite_or_ignore)")

t0 = time.time()
if kind == 'taf':
    db.execute(f"create view t as select *, {FOLD.format(c='SUBMTG_STATE_CD')} origin, trim(MSIS_IDENT_NUM) id from '{src}/*.parquet'" if not det.endswith('parquet')
               else f"create view t as select *, {FOLD.format(c='SUBMTG_STATE_CD')} origin, trim(MSIS_IDENT_NUM) id from read_parquet({[p for p in glob.glob(src+'/*.parquet') if 'determinations' not in p]})")
    if cut == 'wide':
        copy('select * exclude (id) from t', 'taf')
    else:
        db.execute('create temp table s as ' + attributes(
            "select origin, id, trim(CTZNSHP_IND) cit, trim(IMGRTN_STUS_CD) imm, trim(CHIP_CD) chip from t",
            "select origin, id, coalesce(trim(MSIS_CASE_NUM),'') case_num from t"))
        addr = [c for (c,) in db.execute("select column_name from (describe t) where column_name like '%\\_ADR\\_%' escape '\\' or column_name ~ '(CITY|ZIP|CNTY|STATE).*(HOME|MAIL)$' or column_name ~ 'PHNE'").fetchall()]
        idl = ['MSIS_IDENT_NUM', 'SUBMTG_STATE_CD', 'BIRTH_DT', 'CTZNSHP_IND', 'IMGRTN_STUS_CD']
        p = f'(origin in {PLAINTIFFS})'
        cols = idl + [f"case when not {p} or not hide_address then {c} end {c}" for c in addr] + [
            f"case when not {p} then {c} end {c}" for c in ('ELGBL_1ST_NAME', 'ELGBL_LAST_NAME', 'ELGBL_MDL_INITL_NAME')]
        copy(f"select {', '.join(cols)}, origin from t join s using (origin, id) where citizenship='noncitizen' and (not {p} or (presence='not_lawful' and program='medicaid'))", 'taf')
else:
    import csv
    layout = {}
    for r in csv.DictReader(open(f'{here}/../crates/chancery-dataset/tmsis/eligible_layout.csv')):
        layout.setdefault(r['segment_id'], []).append(r['element_name'].lower().replace('-', '_'))
    width = max(map(len, layout.values())) + 2
    names = ', '.join(f"'c{i}': 'varchar'" for i in range(width))
    db.execute(f"create view raw as select * from read_csv({glob.glob(src + '/ELIGIBLE-*.psv')}, delim='|', header=false, quote='', escape='', null_padding=true, auto_detect=false, strict_mode=false, columns={{{names}}})")
    def seg(s):
        fields = ', '.join(f'c{i} "{n}"' for i, n in enumerate(layout[s]))
        return f"(select {fields}, {FOLD.format(c='trim(c1)') if s != 'ELG00001' else FOLD.format(c='trim(c6)')} origin, trim(c3) id from raw where c0='{s}')"
    if cut == 'wide':
        for s in sorted(layout):
            copy(f'select * exclude (id) from {seg(s)}', s)
    else:
        db.execute('create temp table s as ' + attributes(
            f"select origin, id, trim(citizenship_ind) cit, trim(immigration_status) imm, trim(chip_code) chip from {seg('ELG00003')} "
            f"union all select origin, id, null, null, null from (select {FOLD.format(c='trim(c1)')} origin, trim(c3) id from raw where c0 not in ('ELG00001','ELG00003'))",
            f"select origin, id, coalesce(trim(msis_case_num),'') case_num from {seg('ELG00005')}"))
        p = f'(origin in {PLAINTIFFS})'
        ok = f"citizenship='noncitizen' and (not {p} or (presence='not_lawful' and program='medicaid'))"
        key = 'record_id, submitting_state, record_number, msis_identification_num'
        copy(f"select {key}, date_of_birth, " + ', '.join(f"case when not {p} then {c} end {c}" for c in ('eligible_first_name', 'eligible_last_name', 'eligible_middle_init')) + f", origin from {seg('ELG00002')} join s using (origin, id) where {ok}", 'ELG00002')
        copy(f"select {key}, citizenship_ind, immigration_status, origin from {seg('ELG00003')} join s using (origin, id) where {ok}", 'ELG00003')
        addr = [c for c in layout['ELG00004'][4:16] if c != 'type_of_living_arrangement']
        copy(f"select {key}, {', '.join(addr)}, origin from {seg('ELG00004')} join s using (origin, id) where {ok} and (not {p} or not hide_address)", 'ELG00004')
seconds = time.time() - t0
rows = {t: db.execute(f"select count(*) from '{out}/{t}/**/*.parquet'").fetchone()[0] for t in sorted(os.listdir(out)) if glob.glob(f'{out}/{t}/**/*.parquet', recursive=True)}
print(f'{kind} {cut}: {seconds:.2f} s, rows {rows}, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1048576:.2f} GiB')
