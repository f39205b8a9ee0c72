-- All times are milliseconds since 1970.
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID, STRICT;
-- `quota` is the number of calls per hour, `calls` the number of calls in the hour `hour` since 1970.
CREATE TABLE enterprise (
    id TEXT PRIMARY KEY, secret TEXT NOT NULL, quota INTEGER NOT NULL, overseas INTEGER NOT NULL,
    allow TEXT NOT NULL, hour INTEGER NOT NULL DEFAULT 0, calls INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID, STRICT;
CREATE TABLE app (appid TEXT PRIMARY KEY) WITHOUT ROWID, STRICT;
CREATE TABLE app_product (
    appid TEXT NOT NULL, product TEXT NOT NULL, PRIMARY KEY (appid, product)
) WITHOUT ROWID, STRICT;
CREATE TABLE product (
    key TEXT PRIMARY KEY, secret TEXT NOT NULL, enterprise TEXT, published INTEGER NOT NULL,
    open_logs INTEGER NOT NULL, remote_control INTEGER NOT NULL, definition TEXT
) WITHOUT ROWID, STRICT;
CREATE TABLE token (
    value TEXT PRIMARY KEY, product TEXT NOT NULL, enterprise TEXT NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
-- `status` is the body of a report of all points. `activated_at` is the time of the first connection.
-- `silent_since` is set while a device is gone that the cloud still takes for online. `since_full` counts
-- the reports since the last of all points, `draws` the random numbers of the device.
CREATE TABLE device (
    id INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE, product TEXT NOT NULL, mac TEXT,
    device_sn TEXT, passcode TEXT NOT NULL, type TEXT NOT NULL, disabled INTEGER NOT NULL,
    created_at INTEGER NOT NULL, activated_at INTEGER, gid TEXT,
    country TEXT, region TEXT, city TEXT, longitude REAL, latitude REAL,
    mcu_hard_version TEXT, mcu_soft_version TEXT, wifi_hard_version TEXT, wifi_soft_version TEXT,
    status BLOB NOT NULL,
    reply_after INTEGER NOT NULL, report_every INTEGER NOT NULL, full_every INTEGER NOT NULL,
    heartbeat INTEGER NOT NULL, keep_alive INTEGER NOT NULL,
    online_since INTEGER, online_latest INTEGER, silent_since INTEGER, last_report INTEGER,
    since_full INTEGER NOT NULL DEFAULT 0, draws INTEGER NOT NULL DEFAULT 0,
    UNIQUE (product, mac), UNIQUE (product, device_sn)
) STRICT;
CREATE INDEX device_gid ON device (gid) WHERE gid IS NOT NULL;
-- Groups are numbered in the order of their creation. The root of a product has no parent.
CREATE TABLE device_group (
    gid TEXT PRIMARY KEY, product TEXT NOT NULL, parent TEXT, number INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
-- `visits` is the interval at which a user opens the app.
CREATE TABLE user (
    uid TEXT PRIMARY KEY, appid TEXT NOT NULL, username TEXT, phone TEXT, email TEXT, name TEXT,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
    country TEXT, region TEXT, city TEXT, visits INTEGER
) WITHOUT ROWID, STRICT;
-- The users who have a device now, of whom one is the owner.
CREATE TABLE binding (
    device INTEGER NOT NULL, uid TEXT NOT NULL, appid TEXT NOT NULL, owner INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (device, uid)
) WITHOUT ROWID, STRICT;
-- The users who ever bound a device, and the time of the first binding.
CREATE TABLE first_binding (
    device INTEGER NOT NULL, uid TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (device, uid)
) WITHOUT ROWID, STRICT;
-- The days on which a user opened the app.
CREATE TABLE visit (
    uid TEXT NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (uid, day)
) WITHOUT ROWID, STRICT;
-- The records of a device in each of the three logs are in the order of time and numbered without gaps, so
-- the first and the last number of a time window give its count. Only the oldest records are deleted.
CREATE TABLE online (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, at INTEGER NOT NULL, number INTEGER NOT NULL,
    type TEXT NOT NULL, payload TEXT NOT NULL
) STRICT;
CREATE INDEX online_at ON online (device, at, id, number);
CREATE TABLE frame (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, at INTEGER NOT NULL, number INTEGER NOT NULL,
    to_device INTEGER NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE INDEX frame_at ON frame (device, at, id, number);
CREATE TABLE data (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, at INTEGER NOT NULL, number INTEGER NOT NULL,
    attrs TEXT NOT NULL
) STRICT;
CREATE INDEX data_at ON data (device, at, id, number);
-- The notes of devices about values and frames that their definition does not allow. The type is JSON.
CREATE TABLE remark (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL,
    point TEXT, message TEXT NOT NULL
) STRICT;
CREATE INDEX remark_device ON remark (device, id);
-- The devices that were disabled or enabled again, in the order of these changes.
CREATE TABLE disabled_change (id INTEGER PRIMARY KEY, device INTEGER NOT NULL) STRICT;
-- The faults and alerts that devices reported, with the time of the report that cleared each.
CREATE TABLE trouble (
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, point TEXT NOT NULL, fault INTEGER NOT NULL,
    raised_at INTEGER NOT NULL, cleared_at INTEGER
) STRICT;
CREATE INDEX trouble_device ON trouble (device, point);
-- The days on which a device reported, and the time of the first report of the day.
CREATE TABLE activity (
    device INTEGER NOT NULL, day INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (device, day)
) WITHOUT ROWID, STRICT;
CREATE INDEX activity_at ON activity (at);
-- Future events. The subject is a device. The detail is the uid of a visit or binding, the id of a frame,
-- the reason to go offline, or the behaviour whose turn it is, as JSON.
CREATE TABLE pending (
    id INTEGER PRIMARY KEY, due INTEGER NOT NULL, kind TEXT NOT NULL, subject INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX pending_due ON pending (due, id);
-- The modes that are set, as JSON. `remaining` is the number of calls that a mode still holds for.
CREATE TABLE mode (
    id INTEGER PRIMARY KEY, route TEXT NOT NULL, mode TEXT NOT NULL, remaining INTEGER
) STRICT;
