/* The generated code of a product behind names that are the same for all. */
extern const size_t link_sizes[3];
extern const char link_info[];
extern const gizwits_link_timing link_timing;
const gizwits_link_product *link_table(void);
void link_start(void *status);
uint16_t link_set(void *status, const uint8_t *p0, size_t len);
uint16_t link_get(const void *status, uint8_t *p0, size_t room, size_t *len);

const size_t link_sizes[3] = {sizeof(NAME(status)), sizeof(NAME(link_state)), UPPER(LINK_MEMORY)};

const char link_info[] =
    GIZWITS_DEVICE_INFO("03000001", "03000102", "00000000000000000000000000000000", "\1\x2c", "\1", "");
const gizwits_link_timing link_timing = GIZWITS_LINK_TIMING_DEFAULT;

const gizwits_link_product *link_table(void)
{
    return &NAME(link_product);
}

void link_start(void *status)
{
    NAME(init_status)((NAME(status) *)status);
}

uint16_t link_set(void *status, const uint8_t *p0, size_t len)
{
#ifdef VAR_LEN
    return NAME(decode_status)(p0, len, (NAME(status) *)status, NULL);
#else
    return NAME(decode_status)(p0, len, (NAME(status) *)status);
#endif
}

uint16_t link_get(const void *status, uint8_t *p0, size_t room, size_t *len)
{
#ifdef VAR_LEN
    return NAME(encode_report)((const NAME(status) *)status, NULL, p0, room, len);
#else
    return NAME(encode_report)((const NAME(status) *)status, p0, room, len);
#endif
}
