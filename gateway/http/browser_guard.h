// Without keys, whoever reaches the loopback port may act: so a web page of elsewhere must not be
// able to, through the browser of somebody who runs Switchyard. Three rules (DESIGN.md, "open by
// default only on loopback"):
//  - Host must be a loopback name: DNS rebinding ends here.
//  - A call that carries Origin or Sec-Fetch-Site comes from a browser and must be same-origin
//  (typed or bookmarked
//    addresses, Sec-Fetch-Site: none, may read).
//  - A browser's write of a type that HTML forms can send, or of none, needs the page's token. No
//  page has one yet: refused.
// Calls with neither header (curl, client libraries) are not touched. Pure functions.
#pragma once

#include <optional>
#include <string>

#include "gateway/http/message.h"

namespace switchyard::gateway::http {

// Why the request is refused (403), for people; nothing: it may go on.
// `page`: what is asked for holds no data and does nothing, so a link from anywhere may lead to it.
std::optional<std::string> CheckBrowser(const RequestHead& head, bool page = false);

// `127.0.0.1:8080`, `localhost`, `[::1]:8080`.
bool IsLoopbackHost(absl::string_view host);

// The request says that it comes from a browser.
bool FromBrowser(const RequestHead& head);

}  // namespace switchyard::gateway::http
