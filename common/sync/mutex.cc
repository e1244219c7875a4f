#include "common/sync/mutex.h"
