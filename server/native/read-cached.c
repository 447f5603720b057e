// Reads of a file what lies in the kernel's memory, without waiting for a disk, by preadv2(2) with RWF_NOWAIT. Node's own
// ways wait: those without a thread for as long as the disk takes, those with one for the thread as well.
//
// One function, a system call; what it is for is said in src/files/read-cached.ts.
#define _GNU_SOURCE
#include <errno.h>
#include <node_api.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef SYS_preadv2
// Of the kernel rather than of the C library, whose headers may lack both.
enum { NOWAIT = 0x00000008 };

static int64_t read_now(int fd, struct iovec *into, uint64_t position) {
  // In two halves, of which a machine with 64 bits takes the first for the whole.
  long bytes = syscall(SYS_preadv2, fd, into, 1, (long)position, (long)(position >> 32), NOWAIT);
  return bytes < 0 ? -errno : bytes;
}
#else
static int64_t read_now(int fd, struct iovec *into, uint64_t position) {
  (void)fd, (void)into, (void)position;
  return -ENOSYS;
}
#endif

/** readCached(fd, bytes, position): how much was read, or minus the error's number. */
static napi_value read_cached(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = NULL;
  size_t argc = 3;
  int32_t fd = -1;
  int64_t position = -1;
  struct iovec into = {NULL, 0};
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  napi_get_value_int32(env, argv[0], &fd);
  napi_get_typedarray_info(env, argv[1], NULL, &into.iov_len, &into.iov_base, NULL, NULL);
  napi_get_value_int64(env, argv[2], &position);
  napi_create_int64(env, position < 0 ? -EINVAL : read_now(fd, &into, (uint64_t)position), &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function = NULL;
  napi_create_function(env, "readCached", NAPI_AUTO_LENGTH, read_cached, NULL, &function);
  napi_set_named_property(env, exports, "readCached", function);
  return exports;
}
