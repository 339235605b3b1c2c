// What the environment asks of the simulator; README.md says what each variable means.
#pragma once
#include <c10/util/Exception.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace sim {

inline std::string text(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

inline double number(const char* name, double otherwise) {
  const std::string value = text(name);
  if (value.empty()) return otherwise;
  char* end = nullptr;
  const double result = std::strtod(value.c_str(), &end);
  TORCH_CHECK(*end == '\0', name, " is not a number: ", value);
  return result;
}

inline std::vector<std::string> split(const std::string& whole, char mark) {
  std::vector<std::string> parts;
  std::stringstream stream(whole);
  for (std::string part; std::getline(stream, part, mark);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

// Cuts `text` at the last `mark` and returns what followed it, or nothing.
inline std::string cut(std::string& text, char mark) {
  const auto at = text.rfind(mark);
  if (at == std::string::npos) return "";
  std::string tail = text.substr(at + 1);
  text.erase(at);
  return tail;
}

} // namespace sim
