/* Telemetry in its plain form: from JSON straight to columns.
 *
 * Nearly every record is one flat object, or a batch of them, with the known keys, strings without
 * escapes and numbers of ordinary length. Those are read here, without a Python object per field.
 * Whatever is not so plain, or whose address was not met before, is left to decoding.py, which
 * knows all of JSON and can say what is wrong: this file only ever answers "read" or "not read".
 *
 * Memory: CPython ends the bytes of every bytes object with a NUL that is not part of them. Each
 * function below moves past a byte only after it has matched it, and none of them matches a NUL.
 * So none leaves the record, however broken it is.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

/* Where we are within a record; NULL: it is not plain. */
typedef const unsigned char *Place;

typedef struct {
    Place start;
    Py_ssize_t length;
} Text;

/* What a message or an item of a batch may hold, in the order in which we write it ourselves. */
enum Field {
    TYPE, SCHEMA_VERSION, EVENT_ID, SITE, SOURCE, DEVICE, QUANTITY, UNIT, TEXTS,
    VALUE = TEXTS, EVENT_TIME_MS, READINGS, FIELDS
};

#define NAME(text) {(Place)(text), sizeof(text) - 1}
static const Text NAMES[FIELDS] = {
    NAME("type"),     NAME("schema_version"), NAME("event_id"), NAME("site"),
    NAME("source"),   NAME("device"),         NAME("quantity"), NAME("unit"),
    NAME("value"),    NAME("event_time_ms"),  NAME("readings"),
};

#define BIT(field) (1u << (field))
#define ITEM (BIT(EVENT_ID) | BIT(DEVICE) | BIT(QUANTITY) | BIT(UNIT) | BIT(VALUE) | BIT(EVENT_TIME_MS))
#define HEAD (BIT(TYPE) | BIT(SITE) | BIT(SOURCE))

typedef struct {
    unsigned seen; /* BIT of each field that was read */
    Text texts[TEXTS];
    double value;
    int64_t event_time_ms;
} Object;

/* A growing column. */
typedef struct {
    char *data;
    size_t used, room;
} Column;

enum ColumnName { PLACE, CODE, TIME_MS, NUMBER, ID_END, ID, COLUMNS };

typedef struct {
    Column columns[COLUMNS];
    PyObject *codes;     /* by address, see code_of */
    Text reading_version, batch_version; /* that messages must have, where they name one */
    int64_t record;      /* the place of the record that is being read */
    int failed;          /* whether a Python error is set */
} Scan;

static int is_same(const Text *one, const Text *other) {
    return one->length == other->length &&
           !memcmp(one->start, other->start, (size_t)one->length);
}

/* ---- the parts of JSON ---- */

static Place after_space(Place at) {
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
    return at;
}

/* Whether a byte may stand in a string as it is: the ASCII from 0x20 on, less `"` and `\`. Other
 * than ASCII is left to who checks its encoding. A table, since most of the time goes here. */
#define SIXTEEN 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
static const unsigned char PLAIN[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x10 */
    1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* 0x20 */
    SIXTEEN, SIXTEEN,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, /* 0x50 */
    SIXTEEN, SIXTEEN,
};

static Place read_text(Place at, Text *text) {
    if (*at != '"') return NULL;
    text->start = ++at;
    while (PLAIN[*at]) at++;
    text->length = at - text->start;
    return *at == '"' ? at + 1 : NULL;
}

static int is_digit(unsigned char byte) { return byte >= '0' && byte <= '9'; }

/* Digits that follow, appended to a number. At most 18 in all, so that nothing overflows. */
static Place read_digits(Place at, uint64_t *number, int *count) {
    if (!is_digit(*at)) return NULL;
    for (; is_digit(*at); at++) {
        if (++*count > 18) return NULL;
        *number = *number * 10 + (uint64_t)(*at - '0');
    }
    return at;
}

/* The digits before a point: no leading zeros, as JSON has it. */
static Place read_whole(Place at, uint64_t *number, int *count) {
    if (*at == '0' && is_digit(at[1])) return NULL;
    return read_digits(at, number, count);
}

static Place read_integer(Place at, int64_t *integer) {
    int count = 0, negative = *at == '-';
    uint64_t digits = 0;
    at = read_whole(at + negative, &digits, &count);
    if (at == NULL || *at == '.' || *at == 'e' || *at == 'E') return NULL;
    *integer = negative ? -(int64_t)digits : (int64_t)digits;
    return at;
}

/* A number whose digits and power of ten are exact as doubles: then one division rounds rightly
 * (Clinger 1990, doi:10.1145/93542.93557). Others, and exponents, are left to a full reader. */
static Place read_number(Place at, double *number) {
    static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    int whole = 0, count, negative = *at == '-';
    uint64_t digits = 0;
    at = read_whole(at + negative, &digits, &whole);
    if (at == NULL) return NULL;
    count = whole;
    if (*at == '.') at = read_digits(at + 1, &digits, &count);
    if (at == NULL || *at == 'e' || *at == 'E' || digits > (UINT64_C(1) << 53)) return NULL;
    *number = (double)digits / POWERS[count - whole];
    if (negative) *number = -*number;
    return at;
}

/* ---- columns ---- */

static int append(Scan *scan, enum ColumnName name, const void *data, size_t size) {
    Column *column = &scan->columns[name];
    if (column->data == NULL || column->used + size > column->room) {
        size_t room = 2 * (column->used + size) + 4096;
        char *grown = PyMem_Realloc(column->data, room);
        if (grown == NULL) {
            PyErr_NoMemory();
            scan->failed = 1;
            return 0;
        }
        column->data = grown;
        column->room = room;
    }
    memcpy(column->data + column->used, data, size);
    column->used += size;
    return 1;
}

/* The code of an address: site, device, quantity, unit, between them a byte that none of them
 * can hold. -1 where it is not known. */
static int64_t code_of(Scan *scan, const Text *site, const Object *item) {
    const Text *parts[] = {site, &item->texts[DEVICE], &item->texts[QUANTITY], &item->texts[UNIT]};
    char key[512];
    Py_ssize_t used = 0;
    for (int i = 0; i < 4; i++) {
        if (parts[i]->length >= (Py_ssize_t)sizeof key - used) return -1;
        memcpy(key + used, parts[i]->start, (size_t)parts[i]->length);
        used += parts[i]->length;
        key[used++] = '\x1f';
    }
    PyObject *address = PyBytes_FromStringAndSize(key, used - 1);
    PyObject *code = address == NULL ? NULL : PyDict_GetItemWithError(scan->codes, address);
    int64_t number = code == NULL ? -1 : PyLong_AsLongLong(code);
    Py_XDECREF(address);
    if (PyErr_Occurred()) scan->failed = 1;
    return number;
}

/* Adds a reading to the columns; 0 where it cannot be used here. */
static int put_reading(Scan *scan, const Text *site, const Object *item) {
    int64_t code = code_of(scan, site, item);
    if (code < 0 || scan->failed) return 0;
    const Text *event_id = &item->texts[EVENT_ID];
    if (!append(scan, ID, event_id->start, (size_t)event_id->length)) return 0;
    int64_t id_end = (int64_t)scan->columns[ID].used;
    return append(scan, PLACE, &scan->record, sizeof scan->record) &&
           append(scan, CODE, &code, sizeof code) &&
           append(scan, TIME_MS, &item->event_time_ms, sizeof item->event_time_ms) &&
           append(scan, NUMBER, &item->value, sizeof item->value) &&
           append(scan, ID_END, &id_end, sizeof id_end);
}

/* ---- messages ---- */

/* Which field a key names; it is most likely the one after the last. FIELDS where none. */
static enum Field field_of(const Text *key, unsigned likely) {
    for (unsigned tried = 0; tried < FIELDS; tried++) {
        unsigned field = (likely + tried) % FIELDS;
        if (is_same(key, &NAMES[field])) return (enum Field)field;
    }
    return FIELDS;
}

static Place read_items(Place at, Scan *scan, const Text *site);

static Place read_member(Place at, Object *object, enum Field field, Scan *scan) {
    if (field < TEXTS) return read_text(at, &object->texts[field]);
    if (field == VALUE) return read_number(at, &object->value);
    if (field == EVENT_TIME_MS) return read_integer(at, &object->event_time_ms);
    /* Items are read as they come, so their site must be known; and they hold no others. */
    if (field == READINGS && scan != NULL && object->seen & BIT(SITE))
        return read_items(at, scan, &object->texts[SITE]);
    return NULL;
}

/* A flat object of known keys, none of them twice. Only a message has a `scan`; an item has not. */
static Place read_object(Place at, Object *object, Scan *scan) {
    unsigned likely = 0;
    object->seen = 0;
    if (*at != '{') return NULL;
    do {
        Text key;
        if ((at = read_text(after_space(at + 1), &key)) == NULL) return NULL;
        enum Field field = field_of(&key, likely);
        at = after_space(at);
        if (field == FIELDS || object->seen & BIT(field) || *at != ':') return NULL;
        at = read_member(after_space(at + 1), object, field, scan);
        if (at == NULL) return NULL;
        object->seen |= BIT(field);
        likely = field + 1;
        at = after_space(at);
    } while (*at == ',');
    return *at == '}' ? at + 1 : NULL;
}

static Place read_items(Place at, Scan *scan, const Text *site) {
    if (*at != '[') return NULL;
    do {
        Object item;
        at = read_object(after_space(at + 1), &item, NULL);
        if (at == NULL || item.seen != ITEM || !put_reading(scan, site, &item)) return NULL;
        at = after_space(at);
    } while (*at == ',');
    return *at == ']' ? at + 1 : NULL;
}

static const Text READING = NAME("reading"), BATCH = NAME("batch");

/* Whether a message is of a type, and of its version if it names one. */
static int is_of(const Object *message, const Text *type, const Text *version) {
    return is_same(&message->texts[TYPE], type) &&
           (!(message->seen & BIT(SCHEMA_VERSION)) ||
            is_same(&message->texts[SCHEMA_VERSION], version));
}

/* A whole record; 0 where it is not plain, or one of its readings cannot be used here. */
static int read_record(Scan *scan, PyObject *value) {
    Place start = (Place)PyBytes_AS_STRING(value);
    Object message;
    Place end = read_object(after_space(start), &message, scan);
    if (end == NULL || after_space(end) != start + PyBytes_GET_SIZE(value)) return 0;
    unsigned seen = message.seen & ~BIT(SCHEMA_VERSION);
    if (seen == (HEAD | ITEM))
        return is_of(&message, &READING, &scan->reading_version) &&
               put_reading(scan, &message.texts[SITE], &message);
    return seen == (HEAD | BIT(READINGS)) && is_of(&message, &BATCH, &scan->batch_version);
}

/* ---- Python ---- */

/* A column as bytes. */
static PyObject *bytes_of(const Column *column) {
    return PyBytes_FromStringAndSize(column->data, (Py_ssize_t)column->used);
}

/* Notes that a record was not read: it leaves nothing in the columns. Returns 0 on an error. */
static int leave_out(Scan *scan, const size_t *before, PyObject *rest) {
    for (int name = 0; name < COLUMNS; name++) scan->columns[name].used = before[name];
    PyObject *place = PyLong_FromLongLong(scan->record);
    int done = place != NULL && PyList_Append(rest, place) == 0;
    Py_XDECREF(place);
    return done;
}

/* Records lie anywhere in memory: the one after next comes to the cache while this one is read. */
static void fetch_ahead(PyObject *values, Py_ssize_t at) {
    if (at + 2 >= PyList_GET_SIZE(values)) return;
    const char *record = (const char *)PyList_GET_ITEM(values, at + 2);
    for (int line = 0; line < 5; line++) __builtin_prefetch(record + 64 * line);
}

/* Reads every record; the places of those that cannot be read are added to `rest`. Returns 0 with
 * an error set. */
static int read_all(Scan *scan, PyObject *values, PyObject *rest) {
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(values); at++) {
        PyObject *value = PyList_GET_ITEM(values, at);
        if (!PyBytes_Check(value)) {
            PyErr_SetString(PyExc_TypeError, "values must be bytes");
            return 0;
        }
        fetch_ahead(values, at);
        size_t before[COLUMNS];
        for (int name = 0; name < COLUMNS; name++) before[name] = scan->columns[name].used;
        scan->record = at;
        if (read_record(scan, value)) continue;
        if (scan->failed || !leave_out(scan, before, rest)) return 0;
    }
    return 1;
}

PyDoc_STRVAR(scan_doc,
    "scan(values, codes, reading_version, batch_version, /)\n--\n\n"
    "The plain readings among records, as columns.\n\n"
    "Args:\n"
    "    values: a list of bytes; each should be a message.\n"
    "    codes: a code (int, not negative) by address: site, device, quantity and unit, joined by\n"
    "        the byte 0x1f.\n"
    "    reading_version, batch_version: the schema version that messages must have, where they\n"
    "        name one.\n\n"
    "Returns:\n"
    "    Six columns as bytes - place of the record, code, event time [ms], value, end of the\n"
    "    event id in the last column, all event ids - and the places of the other records.\n"
    "    Values are float64, the other numbers int64.\n");

static PyObject *scan(PyObject *module, PyObject *args) {
    (void)module;
    Scan scan = {0};
    PyObject *values, *result = NULL;
    Text *reading = &scan.reading_version, *batch = &scan.batch_version;
    if (!PyArg_ParseTuple(args, "O!O!y#y#", &PyList_Type, &values, &PyDict_Type, &scan.codes,
                          &reading->start, &reading->length, &batch->start, &batch->length))
        return NULL;
    PyObject *rest = PyList_New(0);
    if (rest != NULL && read_all(&scan, values, rest)) {
        const Column *c = scan.columns;
        result = Py_BuildValue("(NNNNNNO)", bytes_of(&c[PLACE]), bytes_of(&c[CODE]),
                               bytes_of(&c[TIME_MS]), bytes_of(&c[NUMBER]), bytes_of(&c[ID_END]),
                               bytes_of(&c[ID]), rest);
    }
    Py_XDECREF(rest);
    for (int name = 0; name < COLUMNS; name++) PyMem_Free(scan.columns[name].data);
    return result;
}

static PyMethodDef METHODS[] = {{"scan", scan, METH_VARARGS, scan_doc}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_scan", "Telemetry in its plain form: from JSON to columns.", 0,
    METHODS, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__scan(void) { return PyModule_Create(&MODULE); }
