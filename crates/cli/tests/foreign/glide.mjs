// A pretend ServiceNow for scripts: GlideRecord and gs, with the habits that bite. Values come as Java
// strings would (objects, never ===), booleans as 1 and 0, a condition on a field that is not there is left
// out, text compares without regard to case, and a password that was stored with setValue cannot be read.

const CLIENT = {
  name: '', client_id: '', client_secret: '', redirect_url: '', type: '', active: '1', access: '',
  access_token_lifespan: '1800', refresh_token_lifespan: '8640000', auth_code_lifespan: '60',
  default_grant_type: '', comments: '', user: '', public_client: '0', sys_scope: 'global',
};
const NEWER = {
  inbound_grant_type: '', scope_restriction_status: 'restricted', use_pkce: '0', token_format: '',
};
const OLD = {
  oauth_entity: CLIENT,
  oauth_entity_scope: { oauth_entity: '', name: '', oauth_entity_scope: '' },
  oauth_entity_profile: { oauth_entity: '', name: '', default: '0', grant_type: '' },
  oauth_entity_profile_scope: { oauth_entity_profile: '', oauth_entity_scope: '' },
  sys_user: {
    user_name: '', active: '1', locked_out: '0', web_service_access_only: '0', password_needs_reset: '0',
  },
  sys_choice: { name: '', element: '', value: '' },
};
const NEW = {
  ...OLD,
  oauth_entity: { ...CLIENT, ...NEWER },
  sys_auth_scope: { name: '' },
  oauth_entity_auth_scope_mapping: { oauth_entity: '', auth_scope: '' },
};
export const MODELS = { old: OLD, new: NEW };

const UNIQUE = { oauth_entity: 'name', sys_auth_scope: 'name' };
const PASSWORDS = ['client_secret'];

export class Instance {
  // model, without (tables or table.field that are not there), rows, refuse ("insert oauth_entity"), keep
  // (fields whose value no write changes), scope (the application the script runs in), blind (passwords
  // cannot be decrypted), leaky (an error that names what it was about), profiles (made with a client),
  // properties, gone (what gs has not).
  constructor(world) {
    this.world = { without: [], rows: {}, refuse: [], keep: [], scope: 'rhino.global', profiles: true, ...world };
    this.properties = { 'glide.oauth.state.parameter.required': 'true', ...world.properties };
    this.tables = {};
    this.writes = [];
    this.printed = [];
    this.next = 1;
    for (const [table, fields] of Object.entries(MODELS[this.world.model])) {
      if (this.world.without.includes(table)) continue;
      const there = Object.entries(fields).filter(([f]) => !this.world.without.includes(`${table}.${f}`));
      this.tables[table] = { fields: Object.fromEntries(there), rows: [] };
    }
    for (const [table, rows] of Object.entries(this.world.rows)) for (const row of rows) this.put(table, row);
  }

  put(table, row) {
    const id = row.sys_id ?? String(this.next++).padStart(32, '0');
    this.tables[table].rows.push({ ...this.tables[table].fields, ...row, sys_id: id });
    return id;
  }

  // What a script finds around it.
  globals() {
    const instance = this;
    const java = (text) => (text === null ? null : new String(text));
    const gs = {
      print: (line) => { instance.printed.push(String(line)); },
      info: (line) => { instance.printed.push(String(line)); },
      tableExists: (table) => String(table) in instance.tables,
      getCurrentScopeName: () => java(instance.world.scope),
      getProperty: (name, otherwise) => java(instance.properties[String(name)] ?? otherwise ?? null),
      setProperty: (name, value) => {
        instance.writes.push(`property ${name}`);
        instance.properties[String(name)] = String(value);
      },
    };
    for (const name of instance.world.gone ?? []) delete gs[name];
    return { gs, GlideRecord: glideRecord(this, java) };
  }
}

function glideRecord(instance, java) {
  return class GlideRecord {
    constructor(table) {
      this.$table = String(table);
      this.$there = instance.tables[this.$table];
      this.$conditions = [];
      this.$found = [];
      this.$row = null;
    }
    isValid() { return this.$there !== undefined; }
    isValidField(field) { return this.$there !== undefined && (String(field) === 'sys_id' || String(field) in this.$there.fields); }
    addQuery(field, value) {
      if (arguments.length !== 2) throw new Error('this pretend addQuery takes two arguments');
      // The platform's own trap: it leaves out what it does not understand.
      if (this.isValidField(field)) this.$conditions.push([String(field), String(value).toLowerCase()]);
    }
    query() {
      const fits = (row) => this.$conditions.every(([f, v]) => String(row[f]).toLowerCase() === v);
      this.$found = (this.$there?.rows ?? []).filter(fits);
    }
    next() {
      const row = this.$found.shift();
      if (row === undefined) return false;
      this.$take(row);
      return true;
    }
    get(id) {
      const row = (this.$there?.rows ?? []).find((one) => one.sys_id === String(id));
      if (row === undefined) return false;
      this.$take(row);
      return true;
    }
    $take(row) {
      this.$row = { ...row };
      this.$elements();
    }
    $elements() {
      for (const field of PASSWORDS.filter((f) => this.isValidField(f))) {
        this[field] = {
          getDecryptedValue: () => {
            if (instance.world.blind) throw new Error('Access to decryption is denied');
            const stored = this.$row[field];
            return java(stored === '' ? null : stored.startsWith('{sealed}') ? stored.slice(8) : '\u0000garbled');
          },
        };
      }
    }
    initialize() {
      this.$row = { ...this.$there.fields };
      this.$elements();
    }
    getUniqueValue() { return java(this.$row?.sys_id ?? null); }
    getValue(field) {
      const value = this.$row?.[String(field)];
      return value === undefined || value === '' ? null : java(value);
    }
    setValue(field, value) {
      const type = this.$there.fields[String(field)];
      if (type === undefined) throw new Error(`no field ${field}`);
      this.$row[String(field)] = (type === '0' || type === '1') && String(value) === 'true' ? '1' : String(value);
    }
    setDisplayValue(field, value) {
      if (!PASSWORDS.includes(String(field))) throw new Error('not used otherwise');
      if (instance.world.leaky) throw new Error(`cannot encrypt ${value}`);
      this.$row[String(field)] = `{sealed}${value}`;
    }
    $refused(verb) { return instance.world.refuse.includes(`${verb} ${this.$table}`); }
    insert() {
      if (this.$refused('insert')) return null;
      const unique = UNIQUE[this.$table];
      const taken = this.$there.rows.some((row) => unique && row[unique].toLowerCase() === this.$row[unique].toLowerCase());
      if (taken) return null;
      const row = { ...this.$row };
      delete row.sys_id;
      for (const field of instance.world.keep) if (field in row) row[field] = instance.world.kept?.[field] ?? this.$there.fields[field];
      if (this.$table === 'oauth_entity' && row.client_secret === '') row.client_secret = '{sealed}made-by-the-instance';
      const id = instance.put(this.$table, row);
      instance.writes.push(`insert ${this.$table}`);
      if (this.$table === 'oauth_entity' && instance.world.profiles && instance.tables.oauth_entity_profile) {
        instance.put('oauth_entity_profile', { oauth_entity: id, name: `${row.name} default_profile`, default: '1' });
      }
      return java(id);
    }
    update() {
      if (this.$refused('update')) return null;
      const row = this.$there.rows.find((one) => one.sys_id === this.$row.sys_id);
      const kept = Object.fromEntries(instance.world.keep.filter((f) => f in row).map((f) => [f, row[f]]));
      Object.assign(row, this.$row, kept);
      instance.writes.push(`update ${this.$table}`);
      return java(row.sys_id);
    }
    deleteRecord() { instance.writes.push(`delete ${this.$table}`); return true; }
    deleteMultiple() { instance.writes.push(`delete ${this.$table}`); }
  };
}
