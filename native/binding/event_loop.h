#pragma once

#include <cstddef>

// What the addon uses of libuv, which every node brings along, with the same interface since its
// first version. Its own header comes with node's sources only; nothing here needs to know how its
// types are made.

struct uv_loop_s;
// A handle of any type: memory of `uv_handle_size` bytes.
struct uv_handle_s;

// As uv_handle_type has it.
constexpr int kUvIdle = 6;

extern "C" {
size_t uv_handle_size(int type);
void* uv_handle_get_data(const uv_handle_s* handle);
void uv_handle_set_data(uv_handle_s* handle, void* data);
void uv_close(uv_handle_s* handle, void (*closed)(uv_handle_s*));

// An idle handle has its function called in every round of the loop, which does not block then.
int uv_idle_init(uv_loop_s* loop, uv_handle_s* idle);
int uv_idle_start(uv_handle_s* idle, void (*round)(uv_handle_s*));
int uv_idle_stop(uv_handle_s* idle);

int uv_backend_fd(const uv_loop_s* loop);
int uv_backend_timeout(const uv_loop_s* loop);
void uv_update_time(uv_loop_s* loop);
}
