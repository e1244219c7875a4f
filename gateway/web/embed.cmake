# cmake -DINPUT=FILE -DOUTPUT=FILE.cc -DNAME=kName -P embed.cmake
# Makes FILE's bytes an absl::string_view switchyard::gateway::NAME.
file(READ ${INPUT} hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "// Made by gateway/web/embed.cmake.
#include \"absl/strings/string_view.h\"
namespace switchyard::gateway {
namespace {
const unsigned char bytes[] = {
${bytes}
0};
}  // namespace
extern const absl::string_view ${NAME};
const absl::string_view ${NAME}(reinterpret_cast<const char*>(bytes), ${size});
}  // namespace switchyard::gateway
")
