// snowtoken: makes or mends one OAuth client on this ServiceNow instance.
//
// THIS TEXT MAY HOLD A CLIENT SECRET. Treat it like a password: paste it, run it, delete it.
//
// Where: System Definition > Scripts - Background, "in scope: global", as an administrator with the
// elevated role security_admin. Run it as often as you like: what is right stays as it is. Nothing is
// deleted, redirect URLs are added and never replaced, and what somebody else set is told, not changed.
// Copy what it prints; no secret is in it.
(function () {
    // The one part that differs from client to client.
    var wanted = /*WANTED*/null;
    // A client that exists with another secret keeps it, unless this is true. Whatever uses the old one
    // stops working at once.
    var replaceSecret = false;

    var MARK = 'Made by snowtoken, client ' + wanted.client_id;
    var CLIENTS = 'oauth_entity';
    var SECOND = ' s';
    var counts = {made: 0, set: 0, todo: 0, fail: 0};

    function text(value) {
        return value === null || value === undefined ? '' : String(value);
    }

    // One line without control characters, and never with the secret.
    function plain(value) {
        var shown = text(value);
        if (wanted.client_secret) {
            shown = shown.split(wanted.client_secret).join('(the secret)');
        }
        shown = shown.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');
        return shown.length > 300 ? shown.substring(0, 300) + '...' : shown;
    }

    function say(word, sentence) {
        if (counts.hasOwnProperty(word)) {
            counts[word] += 1;
        }
        var line = 'snowtoken ' + word + ': ' + plain(sentence);
        try {
            gs.print(line);
        } catch (scoped) {
            gs.info(line);
        }
    }

    function quoted(value) {
        return '"' + text(value) + '"';
    }

    function isTrue(value) {
        var word = text(value);
        return word === '1' || word === 'true';
    }

    function tableExists(table) {
        try {
            return isTrue(gs.tableExists(table));
        } catch (scoped) {
            return isTrue(new GlideRecord(table).isValid());
        }
    }

    function has(record, field) {
        return isTrue(record.isValidField(field));
    }

    function get(record, field) {
        return has(record, field) ? text(record.getValue(field)) : '';
    }

    // The rows that match exactly. The platform compares without regard to case, and leaves out a
    // condition on a field that is not there: both would find strangers.
    function find(table, pairs) {
        var record = new GlideRecord(table), found = [], field, same;
        for (field in pairs) {
            if (!has(record, field)) {
                return [];
            }
            record.addQuery(field, pairs[field]);
        }
        record.query();
        while (record.next()) {
            same = true;
            for (field in pairs) {
                same = same && text(record.getValue(field)) === pairs[field];
            }
            if (same) {
                found.push(text(record.getUniqueValue()));
            }
        }
        return found;
    }

    function open(table, id) {
        var record = new GlideRecord(table);
        return isTrue(record.get(id)) ? record : null;
    }

    // Adds a row; its sys_id, or nothing if the instance refused.
    function add(table, values, what) {
        var record = new GlideRecord(table), field, id;
        record.initialize();
        for (field in values) {
            if (has(record, field)) {
                record.setValue(field, values[field]);
            }
        }
        id = text(record.insert());
        if (id === '' || !open(table, id)) {
            say('fail', what + ': the instance added no row to ' + table + ' (rights of this user, or a rule)');
            return '';
        }
        say('made', what);
        return id;
    }

    // Whether the field takes this choice; where no choices are listed, that is not known.
    function isChoice(field, value) {
        var all;
        if (!tableExists('sys_choice')) {
            return true;
        }
        all = find('sys_choice', {name: CLIENTS, element: field});
        return all.length === 0 || find('sys_choice', {name: CLIENTS, element: field, value: value}).length > 0;
    }

    // A record while its fields are settled: what is to be changed, and who may.
    function Client(record, isNew) {
        this.record = record;
        this.isNew = isNew;
        this.isOurs = isNew || get(record, 'comments').indexOf('Made by snowtoken') !== -1;
        this.changed = {};
        this.secretSet = false;
    }

    Client.prototype.put = function (field, value, shown) {
        var old = get(this.record, field);
        this.record.setValue(field, value);
        this.changed[field] = value;
        if (!this.isNew) {
            say('set', field + ': was ' + (old === '' ? 'empty' : quoted(old)) + ', is ' + (shown || quoted(value)));
        }
    };

    Client.prototype.missing = function (field) {
        if (has(this.record, field)) {
            return false;
        }
        say('skip', field + ': this release has no such field');
        return true;
    };

    // Seconds. Another owner's client only gets longer lifespans, never shorter ones.
    Client.prototype.lifespan = function (field, seconds) {
        var old;
        if (this.missing(field)) {
            return;
        }
        old = parseInt(get(this.record, field).replace(/,/g, ''), 10);
        if (!this.isNew && old === seconds) {
            say('same', field + ': ' + seconds + SECOND);
        } else if (this.isOurs || isNaN(old) || old < seconds) {
            this.put(field, String(seconds), seconds + SECOND);
        } else {
            say('kept', field + ': ' + old + SECOND + ' is more than the ' + seconds + SECOND + ' that were asked for');
        }
    };

    // A setting with a few words. `fine` are other words that do as well.
    Client.prototype.word = function (field, value, fine, why) {
        var old = get(this.record, field);
        if (this.missing(field)) {
            return;
        }
        if (!this.isNew && (old === value || fine.indexOf(old) !== -1)) {
            say('same', field + ': ' + quoted(old));
        } else if (!isChoice(field, value)) {
            say('todo', field + ': this release does not know ' + quoted(value) + '; look at the form: ' + why);
        } else if (this.isOurs || old === '') {
            this.put(field, value);
        } else {
            say('todo', field + ' is ' + quoted(old) + ', set by somebody else; ' + quoted(value) + ' is needed: ' + why);
        }
    };

    Client.prototype.flag = function (field, value, why) {
        var old = isTrue(get(this.record, field));
        if (this.missing(field)) {
            return;
        }
        if (!this.isNew && old === value) {
            say('same', field + ': ' + old);
        } else if (this.isOurs) {
            this.put(field, value ? '1' : '0', String(value));
        } else {
            say('todo', field + ' is ' + old + ', set by somebody else; ' + value + ' is needed: ' + why);
        }
    };

    Client.prototype.redirects = function () {
        var list = get(this.record, 'redirect_url').split(','), known = [], added = [], i, url;
        for (i = 0; i < list.length; i += 1) {
            url = list[i].replace(/^\s+|\s+$/g, '');
            if (url !== '') {
                known.push(url);
            }
        }
        for (i = 0; i < wanted.redirect_urls.length; i += 1) {
            url = wanted.redirect_urls[i];
            if (known.indexOf(url) === -1) {
                added.push(url);
            } else {
                say('same', 'redirect_url has ' + url);
            }
        }
        if (added.length > 0 && !this.missing('redirect_url')) {
            this.put('redirect_url', known.concat(added).join(','), known.concat(added).join(', '));
        }
    };

    // The clear text, or null where it cannot be read. setValue would store a secret as it is, which the
    // platform then cannot decrypt: setDisplayValue encrypts it.
    function secretOf(record) {
        try {
            return text(record.client_secret.getDecryptedValue());
        } catch (unreadable) {
            return null;
        }
    }

    Client.prototype.secret = function () {
        var old;
        if (!wanted.client_secret) {
            say('kept', 'client_secret: not touched' + (this.isNew ? '; the instance makes one, read it with the lock on the form' : ''));
            return;
        }
        if (this.missing('client_secret')) {
            return;
        }
        old = this.isNew ? '' : secretOf(this.record);
        if (old === wanted.client_secret) {
            say('same', 'client_secret');
        } else if (old === null) {
            say('kept', 'client_secret: it cannot be read here, so it was not compared; the login will prove it');
        } else if (old === '' || replaceSecret) {
            this.record.setDisplayValue('client_secret', wanted.client_secret);
            this.secretSet = true;
            if (!this.isNew) {
                say('set', 'client_secret: ' + (old === '' ? 'was empty' : 'another one was replaced'));
            }
        } else {
            say('todo', 'client_secret: the client has another one, which was kept. Give that one to snowtoken ' +
                '(login --client-secret-file FILE), or run this again with replaceSecret = true');
        }
    };

    Client.prototype.isChanged = function () {
        var field;
        for (field in this.changed) {
            return true;
        }
        return this.secretSet;
    };

    // Writes, and looks at what the instance kept.
    Client.prototype.save = function () {
        var id, field, kept, after;
        if (!this.isNew && !this.isChanged()) {
            return text(this.record.getUniqueValue());
        }
        id = text(this.isNew ? this.record.insert() : this.record.update());
        after = id === '' ? null : open(CLIENTS, id);
        if (!after) {
            say('fail', 'the client ' + quoted(wanted.name) + ' was not written (rights of this user, or a rule of this instance)');
            return '';
        }
        if (this.isNew) {
            say('made', 'the client ' + quoted(wanted.name));
        }
        for (field in this.changed) {
            kept = get(after, field);
            if (this.isNew && field !== 'comments' && field !== 'name') {
                say('is', field + ': ' + quoted(kept));
            }
            if (kept !== this.changed[field] && !(isTrue(kept) && this.changed[field] === '1') &&
                    !(this.changed[field] === '0' && !isTrue(kept))) {
                say('fail', field + ': the instance kept ' + quoted(kept) + ' in place of ' + quoted(this.changed[field]));
            }
        }
        if (this.secretSet && secretOf(after) !== wanted.client_secret) {
            say('todo', 'client_secret: it could not be read back; if the login says client-refused, type it into the form');
        }
        return id;
    };

    function settle(client) {
        var isCode = wanted.grant === 'authorization_code';
        client.redirects();
        client.lifespan('access_token_lifespan', wanted.access_token_lifespan);
        client.lifespan('refresh_token_lifespan', wanted.refresh_token_lifespan);
        client.lifespan('auth_code_lifespan', wanted.code_lifespan);
        client.word('inbound_grant_type', isCode ? 'authz_code' : 'client_credential', ['multiple'], 'the grant of this client');
        if (client.isOurs || get(client.record, 'default_grant_type') === '') {
            client.word('default_grant_type', wanted.grant, [], 'the grant of this client');
        }
        client.word('scope_restriction_status', 'unrestricted', ['useraccount'], 'broadly scoped, or each API call is refused with 403');
        client.word('token_format', 'opaque', ['jwt'], 'the form of the tokens');
        client.flag('public_client', false, 'the product has a secret');
        client.flag('use_pkce', false, 'the product need not send PKCE');
        if (!isCode) {
            owner(client);
        }
        client.secret();
        if (!isTrue(get(client.record, 'active'))) {
            say('todo', 'active is false: somebody switched this client off; it was left so');
        }
    }

    function findUser() {
        var ids = wanted.user ? find('sys_user', {user_name: wanted.user}) : [];
        if (wanted.user && ids.length !== 1) {
            say('todo', 'user ' + quoted(wanted.user) + ': ' + ids.length + ' users have this user name');
            return null;
        }
        return wanted.user ? open('sys_user', ids[0]) : null;
    }

    // The OAuth Application User, without which the client credentials grant is refused.
    function owner(client) {
        var user = findUser(), old = get(client.record, 'user');
        if (client.missing('user')) {
            return;
        }
        if (user && old === text(user.getUniqueValue())) {
            say('same', 'user: ' + quoted(wanted.user));
        } else if (user && (old === '' || client.isOurs)) {
            client.put('user', text(user.getUniqueValue()), quoted(wanted.user));
        } else if (old === '') {
            say('todo', 'user (OAuth Application User) is empty: the client credentials grant needs one (--user)');
        } else if (user) {
            say('todo', 'user (OAuth Application User) is another one, set by somebody else; it was left so');
        }
    }

    // What would keep the user from consenting. Told only.
    function person() {
        var user = findUser();
        if (!user) {
            return;
        }
        if (!isTrue(get(user, 'active')) || isTrue(get(user, 'locked_out'))) {
            say('todo', 'user ' + quoted(wanted.user) + ' is inactive or locked out');
        }
        if (isTrue(get(user, 'web_service_access_only'))) {
            say('todo', 'user ' + quoted(wanted.user) + ' has "Web service access only": it cannot sign in to consent');
        }
        if (isTrue(get(user, 'password_needs_reset'))) {
            say('todo', 'user ' + quoted(wanted.user) + ' must first set a new password');
        }
    }

    function one(table, pairs, values, what) {
        var ids = find(table, pairs), record = new GlideRecord(table), field;
        for (field in pairs) {
            if (!has(record, field)) {
                say('skip', what + ': ' + table + ' has no field ' + field + ' here');
                return '';
            }
        }
        if (ids.length === 0) {
            return add(table, values, what);
        }
        say('same', what + (ids.length > 1 ? ' (' + ids.length + ' rows, one is enough)' : ''));
        return ids[0];
    }

    // The profile that came with the client, the default one first.
    function profileOf(id) {
        var ids = find('oauth_entity_profile', {oauth_entity: id}), i;
        for (i = 0; i < ids.length; i += 1) {
            if (isTrue(get(open('oauth_entity_profile', ids[i]), 'default'))) {
                return ids[i];
            }
        }
        return ids.length > 0 ? ids[0] : add('oauth_entity_profile', {
            name: wanted.name + ' default_profile', oauth_entity: id, 'default': '1', grant_type: wanted.grant
        }, 'profile of the client');
    }

    // The scopes that the token endpoint looks at.
    function oldScopes(id) {
        var i, scope, row, profile = '', linked = tableExists('oauth_entity_profile') && tableExists('oauth_entity_profile_scope');
        if (!tableExists('oauth_entity_scope')) {
            say('skip', 'oauth_entity_scope: this release has no such table');
            return;
        }
        if (linked && wanted.scopes.length > 0) {
            profile = profileOf(id);
        }
        for (i = 0; i < wanted.scopes.length; i += 1) {
            scope = wanted.scopes[i];
            row = one('oauth_entity_scope', {oauth_entity: id, name: scope},
                {oauth_entity: id, name: scope, oauth_entity_scope: scope}, 'OAuth scope ' + quoted(scope));
            if (profile !== '' && row !== '') {
                row = {oauth_entity_profile: profile, oauth_entity_scope: row};
                one('oauth_entity_profile_scope', row, row, 'OAuth scope ' + quoted(scope) + ' in the profile');
            }
        }
    }

    // The scopes that the form of newer releases shows.
    function newScopes(id) {
        var i, scope, row;
        if (!tableExists('sys_auth_scope') || !tableExists('oauth_entity_auth_scope_mapping')) {
            say('skip', 'auth scopes: this release has none');
            return;
        }
        for (i = 0; i < wanted.scopes.length; i += 1) {
            scope = wanted.scopes[i];
            // useraccount comes with the platform and is known by its sys_id: another of that name does nothing.
            if (scope === 'useraccount' && find('sys_auth_scope', {name: scope}).length === 0) {
                say('todo', 'auth scope "useraccount" is not there, though the platform brings it; it was not made');
                continue;
            }
            row = one('sys_auth_scope', {name: scope}, {name: scope}, 'auth scope ' + quoted(scope));
            if (row !== '') {
                row = {oauth_entity: id, auth_scope: row};
                one('oauth_entity_auth_scope_mapping', row, row, 'auth scope ' + quoted(scope) + ' of the client');
            }
        }
    }

    function property(name, about) {
        var value = text(gs.getProperty(name, ''));
        say('read', name + ' is ' + (value === '' ? 'not set' : quoted(value)) + ' (' + about + ')');
        return value;
    }

    function properties() {
        var GRANT = 'glide.oauth.inbound.client.credential.grant_type.enabled', value;
        property('glide.oauth.state.parameter.required', 'snowtoken always sends a state');
        property('com.glide.rest.api.auth.scope.check.enable', 'whether APIs with an auth scope ask for it');
        if (wanted.grant !== 'client_credentials') {
            return;
        }
        value = property(GRANT, 'the client credentials grant is refused unless it is true');
        if (value === 'true') {
            return;
        }
        if (!wanted.enable_client_credentials) {
            say('todo', GRANT + ' must be true; it holds for the whole instance, so it was not changed');
            return;
        }
        gs.setProperty(GRANT, 'true');
        say(text(gs.getProperty(GRANT, '')) === 'true' ? 'set' : 'fail', GRANT + ': true');
    }

    // The client: by its ID, or, where the instance gave it another ID, by our mark. The record, null to make
    // one, or nothing where it must not go on.
    function existing() {
        var ids = find(CLIENTS, {client_id: wanted.client_id}), record;
        if (ids.length === 0) {
            ids = find(CLIENTS, {comments: MARK});
        }
        if (ids.length > 1) {
            say('fail', ids.length + ' clients have the Client ID ' + wanted.client_id + ': make it one, then run this again');
            return undefined;
        }
        if (ids.length === 0 && find(CLIENTS, {name: wanted.name}).length > 0) {
            say('fail', 'another client has the name ' + quoted(wanted.name) + ': choose one with --name; nothing was changed');
            return undefined;
        }
        record = ids.length === 0 ? null : open(CLIENTS, ids[0]);
        if (record && get(record, 'type') !== '' && get(record, 'type') !== 'client') {
            say('fail', 'the record with this Client ID is no OAuth client, its type is ' + quoted(get(record, 'type')));
            return undefined;
        }
        return record;
    }

    function begin(record) {
        var client = new Client(record || new GlideRecord(CLIENTS), !record), field, first;
        if (record) {
            say('same', 'the client is there, its name is ' + quoted(get(record, 'name')));
            if (get(record, 'name') !== wanted.name) {
                say('kept', 'name: not changed into ' + quoted(wanted.name));
            }
            return client;
        }
        client.record.initialize();
        first = {name: wanted.name, client_id: wanted.client_id, type: 'client', active: '1', access: 'public', comments: MARK};
        for (field in first) {
            if (has(client.record, field)) {
                client.put(field, first[field]);
            }
        }
        return client;
    }

    function run() {
        var scope = '', record, client, id;
        try {
            scope = text(gs.getCurrentScopeName());
        } catch (older) {
            scope = '';
        }
        if (scope !== '' && scope !== 'global' && scope !== 'rhino.global') {
            say('fail', 'this runs in the scope ' + quoted(scope) + '; choose "in scope: global" above the text, nothing was changed');
            return;
        }
        if (!tableExists(CLIENTS)) {
            say('fail', 'there is no table ' + CLIENTS + ': the plugin OAuth 2.0 is not active; nothing was changed');
            return;
        }
        record = existing();
        if (record === undefined) {
            return;
        }
        client = begin(record);
        settle(client);
        id = client.save();
        if (id === '') {
            return;
        }
        record = open(CLIENTS, id);
        if (get(record, 'client_id') !== wanted.client_id) {
            say('todo', 'the instance gave the client another Client ID: snowtoken login --client-id ' + get(record, 'client_id'));
        }
        if (get(record, 'sys_scope') !== '' && get(record, 'sys_scope') !== 'global') {
            say('todo', 'the client belongs to a scoped application, not to Global: API calls may be refused with 403');
        }
        oldScopes(id);
        newScopes(id);
        if (wanted.grant === 'authorization_code') {
            person();
        }
        properties();
    }

    say('begin', 'client ' + wanted.client_id);
    try {
        run();
    } catch (error) {
        say('fail', 'it stopped: ' + text(error && error.message ? error.message : error));
    }
    say('end', (counts.made + counts.set) + ' changed, ' + counts.todo + ' to do, ' + counts.fail + ' failed');
}());
