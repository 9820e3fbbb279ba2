#include "agent/csv.hpp"

#include <gtest/gtest.h>

namespace quoin::agent {
namespace {

TEST(csv, line__good__gives_time_and_value) {
    const auto row = parse_csv_line("2013-12-02 21:15:00,73.96732207");
    ASSERT_TRUE(row);
    EXPECT_EQ(row->ts_ms, 1386018900000);  // date -u -d '2013-12-02 21:15:00' +%s
    EXPECT_DOUBLE_EQ(row->value, 73.96732207);
    EXPECT_TRUE(parse_csv_line("2013-12-02T21:15:00,-1e3\r"));
}

TEST(csv, line__bad__is_refused) {
    for (const std::string_view bad :
         {"", ",", "timestamp,value", "2013-12-02 21:15:00", "2013-12-02 21:15:00,", "x,1",
          "2013-13-02 21:15:00,1", "2013-02-30 21:15:00,1", "2013-12-02 24:15:00,1",
          "2013-12-02 21:60:00,1", "2013-12-02 21:15:60,1", "2013-12-02 21:15:00,nan",
          "2013-12-02 21:15:00,inf", "2013-12-02 21:15:00,1 ", "2013-12-02 21:15:00,1,2",
          "2013-12-02 21:15:00,0x1", "2013-12-02_21:15:00,1", "+013-12-02 21:15:00,1",
          "2013-12-02 21:15:00,1e999"}) {
        EXPECT_EQ(parse_csv_line(bad).error().code, Code::input_invalid) << bad;
    }
    EXPECT_FALSE(parse_csv_line("2013-12-02 21:15:00," + std::string(300, '1')));
}

}  // namespace
}  // namespace quoin::agent
