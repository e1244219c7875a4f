// Boost.JSON, compiled here once: Debian's headers are all we link.
#include <boost/json/src.hpp>
