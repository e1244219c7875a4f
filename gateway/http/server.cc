#include "gateway/http/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/log/log.h"
#include "common/sync/mutex.h"
#include "gateway/http/connection.h"

namespace switchyard::gateway::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr absl::string_view kFullBody =
    R"({"type":"about:blank","title":"Service Unavailable","status":503,)"
    R"("detail":"too many connections","code":"UNAVAILABLE"})";

std::string FullAnswer() {
  return absl::StrCat(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
      "Retry-After: 1\r\nConnection: close\r\nContent-Length: ",
      kFullBody.size(), "\r\n\r\n", kFullBody);
}

// One thread's event loop and the connections on it. All but Post is for that thread.
struct Loop {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::steady_timer sweeper{io};
  std::list<std::weak_ptr<Connection>> connections;
  std::thread thread;
};

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerOptions& options, Handler* handler)
      : options_(options), handler_(handler) {
    for (int i = 0; i < std::max(1, options.threads); ++i) {
      loops_.push_back(std::make_unique<Loop>());
    }
  }
  ~ServerImpl() override { Stop(std::chrono::milliseconds(0)); }

  absl::Status Listen(const Address& address);
  Address address() const override { return address_; }
  size_t connections() const override { return count_; }
  void Stop(std::chrono::milliseconds grace) override;

 private:
  template <typename Acceptor>
  absl::Status Open(Acceptor* acceptor, const typename Acceptor::endpoint_type& endpoint);
  template <typename Acceptor>
  Awaitable<> Accept(Acceptor* acceptor);
  template <typename Socket>
  void Serve(Loop* loop, Socket socket, bool from_unix_socket);
  Awaitable<> RunConnection(Loop* loop, std::shared_ptr<Connection> connection);
  Awaitable<> Sweep(Loop* loop);
  void ForEachConnection(void (Connection::*what)());
  bool WaitUntilEmpty(std::chrono::milliseconds limit);
  void Run();

  const ServerOptions options_;
  Handler* const handler_;
  Address address_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Tcp::acceptor> tcp_;
  std::unique_ptr<Local::acceptor> local_;
  std::atomic<size_t> count_{0};
  std::atomic<size_t> next_loop_{0};
  std::atomic<bool> stopping_{false};
  bool stopped_ = false;
  Mutex mutex_;
  CondVar emptied_;
};

template <typename Acceptor>
absl::Status ServerImpl::Open(Acceptor* acceptor,
                              const typename Acceptor::endpoint_type& endpoint) {
  error_code fault;
  const auto step = [&](auto&& action) {
    if (!fault) action();
  };
  step([&] { acceptor->open(endpoint.protocol(), fault); });
  step([&] { acceptor->set_option(asio::socket_base::reuse_address(true), fault); });
  step([&] { acceptor->bind(endpoint, fault); });
  step([&] { acceptor->listen(asio::socket_base::max_listen_connections, fault); });
  if (!fault) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("cannot listen on ", address_.ToString(), ": ", fault.message()));
}

absl::Status ServerImpl::Listen(const Address& address) {
  address_ = address;
  asio::io_context& io = loops_.front()->io;
  if (address.is_unix()) {
    // What a killed predecessor left. Two at once are kept apart by the folder's lock, not by this
    // name.
    unlink(address.unix_path.c_str());
    local_ = std::make_unique<Local::acceptor>(io);
    if (auto status = Open(local_.get(), Local::endpoint(address.unix_path)); !status.ok()) {
      return status;
    }
    chmod(address.unix_path.c_str(), 0600);
    asio::co_spawn(io, Accept(local_.get()), asio::detached);
  } else {
    error_code fault;
    const std::string host =
        absl::EqualsIgnoreCase(address.host, "localhost") ? "127.0.0.1" : address.host;
    const auto ip = asio::ip::make_address(host, fault);
    if (fault) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", address.host, "\" is not an IP address to listen on"));
    }
    tcp_ = std::make_unique<Tcp::acceptor>(io);
    if (auto status = Open(tcp_.get(), Tcp::endpoint(ip, address.port)); !status.ok())
      return status;
    address_.port = tcp_->local_endpoint().port();
    asio::co_spawn(io, Accept(tcp_.get()), asio::detached);
  }
  Run();
  return absl::OkStatus();
}

void ServerImpl::Run() {
  for (auto& loop : loops_) {
    asio::co_spawn(loop->io, Sweep(loop.get()), asio::detached);
    loop->thread = std::thread([io = &loop->io] { io->run(); });
  }
}

template <typename Acceptor>
Awaitable<> ServerImpl::Accept(Acceptor* acceptor) {
  while (!stopping_) {
    Loop* loop = loops_[next_loop_++ % loops_.size()].get();
    auto [fault, socket] = co_await acceptor->async_accept(loop->io, kTuple);
    if (stopping_) break;
    if (fault) {
      // Out of descriptors, most likely: others must close first.
      asio::steady_timer pause(co_await asio::this_coro::executor, std::chrono::milliseconds(50));
      co_await pause.async_wait(kTuple);
      continue;
    }
    if (count_ >= options_.max_connections) {
      error_code ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(FullAnswer()), ignored);
      continue;
    }
    Serve(loop, std::move(socket), std::is_same_v<Acceptor, Local::acceptor>);
  }
}

template <typename Socket>
void ServerImpl::Serve(Loop* loop, Socket socket, bool from_unix_socket) {
  ++count_;
  error_code ignored;
  if constexpr (std::is_same_v<Socket, Tcp::socket>) {
    socket.set_option(Tcp::no_delay(true), ignored);
  }
  auto connection = std::make_shared<Connection>(Connection::Socket(std::move(socket)),
                                                 from_unix_socket, options_, handler_, &stopping_);
  asio::co_spawn(loop->io, RunConnection(loop, std::move(connection)), asio::detached);
}

Awaitable<> ServerImpl::RunConnection(Loop* loop, std::shared_ptr<Connection> connection) {
  const auto place = loop->connections.insert(loop->connections.end(), connection);
  try {
    co_await connection->Run();
  } catch (const std::exception& fault) {
    // Asio's own, or out of memory: one connection pays.
    LogError("connection ended by an exception", {{"what", fault.what()}});
  }
  loop->connections.erase(place);
  connection.reset();
  if (--count_ == 0) {
    MutexLock lock(mutex_);
    emptied_.SignalAll();
  }
}

Awaitable<> ServerImpl::Sweep(Loop* loop) {
  while (true) {
    loop->sweeper.expires_after(options_.sweep_interval);
    const auto [fault] = co_await loop->sweeper.async_wait(kTuple);
    if (fault) co_return;
    const auto now = std::chrono::steady_clock::now();
    // Sweep may end a connection, but never inside this call: its coroutine is resumed by the loop.
    for (const auto& weak : loop->connections) {
      if (const auto connection = weak.lock()) connection->Sweep(now);
    }
  }
}

void ServerImpl::ForEachConnection(void (Connection::*what)()) {
  for (auto& loop : loops_) {
    asio::post(loop->io, [loop = loop.get(), what] {
      for (const auto& weak : loop->connections) {
        if (const auto connection = weak.lock()) (connection.get()->*what)();
      }
    });
  }
}

bool ServerImpl::WaitUntilEmpty(std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  MutexLock lock(mutex_);
  while (count_ > 0) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) return false;
    emptied_.WaitFor(mutex_, left);
  }
  return true;
}

void ServerImpl::Stop(std::chrono::milliseconds grace) {
  if (std::exchange(stopped_, true)) return;
  stopping_ = true;
  asio::post(loops_.front()->io, [this] {
    error_code ignored;
    if (tcp_) tcp_->close(ignored);
    if (local_) local_->close(ignored);
  });
  ForEachConnection(&Connection::StopSoon);
  if (!WaitUntilEmpty(grace)) {
    LogWarning("closing connections that did not end in time", {{"connections", count_.load()}});
  }
  // Handlers may wait for calls that hold on to their event loop: cancelled, they come back, and
  // only then it may go.
  while (count_ > 0) {
    ForEachConnection(&Connection::Shut);
    WaitUntilEmpty(std::chrono::milliseconds(100));
  }
  for (auto& loop : loops_) {
    loop->io.stop();
    if (loop->thread.joinable()) loop->thread.join();
  }
  if (local_) unlink(address_.unix_path.c_str());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Address& listen,
                                                      const ServerOptions& options,
                                                      Handler* handler) {
  auto server = std::make_unique<ServerImpl>(options, handler);
  if (absl::Status status = server->Listen(listen); !status.ok()) return status;
  return server;
}

}  // namespace switchyard::gateway::http
