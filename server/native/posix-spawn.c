// Starts processes by posix_spawn(3), which Node cannot: its own spawn forks, and a fork copies the tables of all pages
// that the server has, a millisecond for each hundred megabytes. Here the child shares them until it runs its program.
//
// Four functions, each a system call or two; what they are for is said in src/exec/process/posix-spawner.ts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static napi_value number(napi_env env, int value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static uint32_t length_of(napi_env env, napi_value array) {
  uint32_t length = 0;
  napi_get_array_length(env, array, &length);
  return length;
}

/** NULL for what is no string, or would end before its end. */
static char *string_of(napi_env env, napi_value value) {
  size_t length = 0;
  char *text;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return NULL;
  text = malloc(length + 1);
  if (text == NULL) return NULL;
  napi_get_value_string_utf8(env, value, text, length + 1, &length);
  if (strlen(text) == length) return text;
  free(text);
  return NULL;
}

static void free_strings(char **strings) {
  if (strings == NULL) return;
  for (char **each = strings; *each != NULL; each++) free(*each);
  free(strings);
}

/** An array of strings, with NULL at its end. */
static char **strings_of(napi_env env, napi_value array) {
  uint32_t length = length_of(env, array);
  char **strings = calloc(length + 1, sizeof(*strings));
  for (uint32_t i = 0; strings != NULL && i < length; i++) {
    napi_value value = NULL;
    napi_get_element(env, array, i, &value);
    strings[i] = string_of(env, value);
    if (strings[i] == NULL) {
      free_strings(strings);
      return NULL;
    }
  }
  return strings;
}

/** A new session, no signal blocked or ignored, in that directory. */
static int prepare(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions, const char *directory) {
  sigset_t none, all;
  int error;
  sigemptyset(&none);
  // sigfillset(3) leaves out those that the C library keeps for itself, and the child would begin with them ignored.
  memset(&all, 0xff, sizeof(all));
  if ((error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)))
    return error;
  if ((error = posix_spawnattr_setsigdefault(attributes, &all))) return error;
  if ((error = posix_spawnattr_setsigmask(attributes, &none))) return error;
  return posix_spawn_file_actions_addchdir_np(actions, directory);
}

/** Gives the child descriptors[i] as its descriptor i; a negative one stays what it is. Holds duplicates in `held`. */
static int pass_on(napi_env env, posix_spawn_file_actions_t *actions, napi_value descriptors, int *held) {
  int count = (int)length_of(env, descriptors);
  for (int i = 0; i < count; i++) {
    napi_value value = NULL;
    int32_t fd = -1;
    int error;
    napi_get_element(env, descriptors, (uint32_t)i, &value);
    napi_get_value_int32(env, value, &fd);
    if (fd < 0) continue;
    // One that is as low as those that are put in place could be overwritten before its turn.
    if (fd < count && (fd = held[i] = fcntl(fd, F_DUPFD_CLOEXEC, count)) < 0) return errno;
    if ((error = posix_spawn_file_actions_adddup2(actions, fd, i))) return error;
  }
  return 0;
}

/** spawn(file, args, environment, directory, descriptors): the pid, or minus the error's number. */
static napi_value spawn_process(napi_env env, napi_callback_info info) {
  napi_value argv[5];
  size_t argc = LENGTH(argv);
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  uint32_t count = length_of(env, argv[4]);
  char *file = string_of(env, argv[0]), *directory = string_of(env, argv[3]);
  char **args = strings_of(env, argv[1]), **environment = strings_of(env, argv[2]);
  int *held = malloc((count + 1) * sizeof(*held));
  for (uint32_t i = 0; held != NULL && i < count; i++) held[i] = -1;

  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  pid_t pid = 0;
  int error = EINVAL;
  if (file != NULL && directory != NULL && args != NULL && environment != NULL && held != NULL) {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    error = prepare(&attributes, &actions, directory);
    if (error == 0) error = pass_on(env, &actions, argv[4], held);
    if (error == 0) error = posix_spawn(&pid, file, &actions, &attributes, args, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  for (uint32_t i = 0; held != NULL && i < count; i++)
    if (held[i] >= 0) close(held[i]);
  free(held);
  free_strings(environment);
  free_strings(args);
  free(directory);
  free(file);
  return number(env, error == 0 ? pid : -error);
}

/** reap(pid): undefined while it runs, else its exit code, or minus the signal that ended it; null if it is not ours. */
static napi_value reap(napi_env env, napi_callback_info info) {
  napi_value pid_value, result = NULL;
  size_t argc = 1;
  int32_t pid = 0;
  int status = 0;
  pid_t reaped;
  napi_get_cb_info(env, info, &argc, &pid_value, NULL, NULL);
  napi_get_value_int32(env, pid_value, &pid);
  do reaped = pid > 0 ? waitpid(pid, &status, WNOHANG) : -1;
  while (reaped < 0 && errno == EINTR);
  if (reaped > 0) return number(env, WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
  if (reaped == 0) napi_get_undefined(env, &result);
  else napi_get_null(env, &result);
  return result;
}

/** pipe(): the descriptors to read from and to write to, which no child inherits; or minus the error's number. */
static napi_value make_pipe(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  int ends[2];
  (void)info;
#ifdef __APPLE__
  if (pipe(ends) != 0) return number(env, -errno);
  for (int i = 0; i < 2; i++) fcntl(ends[i], F_SETFD, FD_CLOEXEC);
#else
  if (pipe2(ends, O_CLOEXEC) != 0) return number(env, -errno);
#endif
  napi_create_array_with_length(env, 2, &result);
  for (uint32_t i = 0; i < 2; i++) napi_set_element(env, result, i, number(env, ends[i]));
  return result;
}

/** resizePipe(fd, bytes): how much it holds now; or minus the error's number. */
static napi_value resize_pipe(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = LENGTH(argv);
  int32_t fd = -1, bytes = 0;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  napi_get_value_int32(env, argv[0], &fd);
  napi_get_value_int32(env, argv[1], &bytes);
#ifdef F_SETPIPE_SZ
  int size = fcntl(fd, F_SETPIPE_SZ, bytes);
  return number(env, size < 0 ? -errno : size);
#else
  return number(env, -ENOTSUP);
#endif
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback function;
  } functions[] = {{"spawn", spawn_process}, {"reap", reap}, {"pipe", make_pipe}, {"resizePipe", resize_pipe}};
  for (size_t i = 0; i < LENGTH(functions); i++) {
    napi_value function = NULL;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
