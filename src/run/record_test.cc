#include "run/record.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "base/file.h"
#include "run/control.h"
#include "run/log_file.h"
#include "run/receipt.h"
#include "run/restart.h"
#include "run/run_list.h"
#include "run/run_name.h"
#include "run/usage.h"

using namespace slipway;
using namespace slipway::run;

namespace {

const Owner kUs{::geteuid(), ::getegid()};

UtcTime at(std::string_view text) { return parse_utc_time(text).value(); }

std::vector<std::string> lines_of(const std::string& folder, const LogWish& wish) {
  std::vector<std::string> lines;
  REQUIRE(read_log(folder, wish, [&](const LogLine& line) -> Result<bool> {
            lines.push_back((line.is_part ? "+" : "") + std::string(line.text));
            return true;
          }).ok());
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("facts and states come back as they were written") {
  RunFacts facts;
  facts.id = std::string(32, 'a');
  facts.name = "quiet_heron";
  facts.command = {"sh", "-c", "echo \"x\""};
  facts.created = at("2026-01-31T12:00:00.123Z");
  facts.is_detached = facts.removes_itself = true;
  facts.restart = {RestartPolicy::When::OnFailure, 5};
  facts.labels = {{"a", "b=c"}, {"empty", ""}};
  facts.additional_gids = {4, 44};
  facts.environment = {"PATH=/bin"};
  CHECK(parse_run_facts(write_run_facts(facts)).value() == facts);

  RunState state;
  state.status = RunStatus::Restarting;
  state.room_pid = 42;
  state.room_birth = 1ULL << 40;
  state.runtime = "/usr/bin/crun";
  state.group = "/slipway/slipway-a";
  state.started = at("2026-01-31T12:00:00Z");
  state.exit_status = 137;
  state.out_of_memory = true;
  state.error = "line\nbreak";
  state.loss = "`/dev/nvidia0` is gone from this machine";
  CHECK(parse_run_state(write_run_state(state)).value() == state);
  for (const char* text : {"", "{}", "[]", "{\"schema\":2}", "{\"schema\":1,\"status\":\"?\"}"}) {
    CAPTURE(text);
    CHECK(parse_run_state(text).error().kind == ErrorKind::Corrupt);
  }
}

TEST_CASE("what a record says that cannot be") {
  // Cut off to its type, a number would be another one: absent.
  const RunState state =
      parse_run_state(
          R"({"schema":1,"status":"running","room_pid":4294967297,"monitor_pid":-1,"program_pid":7,)"
          R"("room_birth":-1,"exit_status":99999999999,"restarts":1.5,"started":"9999-12-31T23:59:59-01:00"})")
          .value();
  CHECK(state.room_pid == 0);
  CHECK(state.monitor_pid == 0);
  CHECK(state.program_pid == 7);
  CHECK(state.room_birth == 0);
  CHECK(state.exit_status == 0);
  CHECK(state.restarts == 0);
  CHECK(!state.started);
  const RunFacts facts =
      parse_run_facts(
          R"({"schema":1,"restart":"no","stop_signal":4294967305,"uid":-1,"additional_gids":[-1,4294967300,5]})")
          .value();
  CHECK(facts.stop_signal == 15);
  CHECK(facts.uid == 0);
  CHECK(facts.additional_gids == std::vector<gid_t>{5});
  for (const char* text : {"{\"schema\":1}", "{\"schema\":1,\"restart\":\"often\"}",
                           "{\"schema\":4294967297,\"restart\":\"no\"}"}) {
    CAPTURE(text);
    REQUIRE(!parse_run_facts(text).ok());
    CHECK(parse_run_facts(text).error().kind == ErrorKind::Corrupt);
  }
}

TEST_CASE("a record: its name is its own, its lock its life") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "record-test").value();
  const std::string runs = folder.path() + "/runs";
  RunFacts facts;
  facts.name = "one";
  std::optional<RunRecord> record = RunRecord::create(runs, facts, kUs).value();
  const std::string id = record->facts().id;
  CHECK(id.size() == 32);
  CHECK(find_run(runs, "one").value().is_alive);
  const auto second = RunRecord::create(runs, facts, kUs);
  REQUIRE(!second.ok());
  CHECK(second.error().kind == ErrorKind::Denied);
  // The one that could not have the name has not taken it away either.
  CHECK(find_run(runs, "one").value().facts.id == id);
  CHECK(find_run(runs, id.substr(0, 6)).value().facts.name == "one");
  CHECK(find_run(runs, "onee").error().hints.at(0) == "did you mean `one`?");

  record->keep();
  record.reset();  // as if killed: nobody has noted an end
  const KnownRun lost = find_run(runs, "one").value();
  CHECK(!lost.is_alive);
  CHECK(lost.state.status == RunStatus::Lost);
  sweep_records(runs);
  CHECK(path_exists(runs + "/" + id));
  CHECK(list_folder(runs + "/living").value().empty());
  CHECK(remove_record(runs, id, "one").ok());
  CHECK(find_run(runs, "one").error().kind == ErrorKind::NotFound);
}

TEST_CASE("a sweep removes what was to remove itself, and leaves the living") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "record-test").value();
  const std::string runs = folder.path() + "/runs";
  RunFacts facts;
  facts.removes_itself = true;
  std::optional<RunRecord> dead = RunRecord::create(runs, facts, kUs).value();
  const std::string dead_folder = dead->folder();
  const RunRecord living = RunRecord::create(runs, facts, kUs).value();
  dead->keep();
  dead.reset();
  REQUIRE(path_exists(dead_folder));
  sweep_records(runs);
  CHECK(!path_exists(dead_folder));
  CHECK(path_exists(living.folder()));
  CHECK(list_runs(runs).value().size() == 1);
}

TEST_CASE("several ids with one beginning are told apart or refused") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "record-test").value();
  const std::string runs = folder.path() + "/runs";
  std::vector<RunRecord> records;
  // Of seventeen ids, two begin with the same digit.
  for (int i = 0; i < 17; ++i) records.push_back(RunRecord::create(runs, {}, kUs).value());
  int refused = 0;
  for (const RunRecord& record : records) {
    const auto found = find_run(runs, record.facts().id.substr(0, 1));
    if (!found.ok()) refused += found.error().kind == ErrorKind::InvalidInput;
  }
  CHECK(refused >= 2);
  CHECK(find_run(runs, records[3].facts().id).value().facts.name == records[3].facts().name);
}

TEST_CASE("names of runs") {
  for (const char* name : {"ab", "train", "Train-1.2_x", "9lives"})
    CHECK(check_run_name(name).ok());
  for (const char* name : {"", "a", "-a", ".x", "a/b", "a b", "../x", "_x", "é"}) {
    CAPTURE(name);
    CHECK(!check_run_name(name).ok());
  }
  CHECK(check_run_name(make_run_name("\x01\x02\x03\x04", 0)).ok());
  CHECK(make_run_name("abcd", 0) == make_run_name("abcd", 3));
  CHECK(make_run_name("abcd", 0) != make_run_name("abcd", 4));
}

TEST_CASE("restart policies") {
  using When = RestartPolicy::When;
  for (const char* text : {"no", "on-failure", "on-failure:5", "always", "unless-stopped"}) {
    CHECK(restart_text(parse_restart_policy(text).value()) == text);
  }
  for (const char* text :
       {"", "yes", "on-failure:", "on-failure:0", "on-failure:x", "on-failured"}) {
    CAPTURE(text);
    CHECK(!parse_restart_policy(text).ok());
  }
  struct Case {
    RestartPolicy policy;
    LifeEnd end;
    bool again;
  };
  for (const Case& c :
       {Case{{When::No, 0}, {1, 0, false}, false}, Case{{When::OnFailure, 0}, {0, 0, false}, false},
        Case{{When::OnFailure, 0}, {1, 99, false}, true},
        Case{{When::OnFailure, 2}, {1, 1, false}, true},
        Case{{When::OnFailure, 2}, {1, 2, false}, false},
        Case{{When::Always, 0}, {0, 7, false}, true},
        Case{{When::Always, 0}, {137, 7, true}, false},
        Case{{When::UnlessStopped, 0}, {0, 0, true}, false}}) {
    CHECK(should_restart(c.policy, c.end) == c.again);
  }
  BackOff back_off;
  using std::chrono::milliseconds;
  CHECK(back_off.next(milliseconds(1)) == milliseconds(100));
  CHECK(back_off.next(milliseconds(1)) == milliseconds(200));
  CHECK(back_off.next(milliseconds(20'000)) == milliseconds(100));
  for (int i = 0; i < 20; ++i) (void)back_off.next(milliseconds(1));
  CHECK(back_off.next(milliseconds(1)) == milliseconds(60'000));
}

TEST_CASE("a log: lines, parts, rotation, and what is asked of it") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "log-test").value();
  const std::string path = folder.path() + "/log";
  LogWriter writer = LogWriter::open(path, {4096, 3}, kUs).value();
  writer.write(Stream::Output, "one\ntw", at("2026-01-01"));
  writer.write(Stream::ErrorOutput, "error\n", at("2026-01-02"));
  writer.write(Stream::Output, "o\n\nno end", at("2026-01-03"));
  writer.finish(at("2026-01-04"));
  CHECK(lines_of(folder.path(), {}) == Lines{"one", "error", "two", "", "+no end"});
  CHECK(lines_of(folder.path(), {2, {}, false}) == Lines{"", "+no end"});
  CHECK(lines_of(folder.path(), {0, {}, false}) == Lines{});
  CHECK(lines_of(folder.path(), {{}, at("2026-01-03"), false}) == Lines{"two", "", "+no end"});

  const std::string line(1000, 'x');
  for (int i = 0; i < 20; ++i) writer.write(Stream::Output, line + "\n", at("2026-01-05"));
  CHECK(path_exists(path + ".2"));
  CHECK(!path_exists(path + ".3"));
  CHECK(file_size(path + ".1").value() < 4096 + 2000);
  const Lines kept = lines_of(folder.path(), {});
  CHECK(kept.size() >= 8);
  for (const std::string& one : kept) CHECK(one == line);

  writer.write(Stream::Output, std::string(40'000, 'y') + "\n", at("2026-01-06"));
  const Lines long_line = lines_of(folder.path(), {3, {}, false});
  CHECK(long_line[0] == "+" + std::string(16384, 'y'));
  CHECK(long_line[2].size() == 40'000 - 2 * 16384);
  // Also where it comes in two pieces.
  writer.write(Stream::Output, "begin ", at("2026-01-07"));
  writer.write(Stream::Output, std::string(40'000, 'z') + "\n", at("2026-01-07"));
  const Lines two_pieces = lines_of(folder.path(), {3, {}, false});
  CHECK(two_pieces[0] == "+begin " + std::string(16378, 'z'));
  CHECK(two_pieces[2].size() == 40'006 - 2 * 16384);
  for (const char* text : {"", "x", "2026-01-01T00:00:00Z stdin F x",
                           "2026-01-01T00:00:00Z stdout X x", "yesterday stdout F x"}) {
    CAPTURE(text);
    CHECK(!parse_log_line(text));
  }
}

TEST_CASE("signals and keys, by name") {
  CHECK(parse_signal("TERM").value() == 15);
  CHECK(parse_signal("SIGKILL").value() == 9);
  CHECK(parse_signal("usr1").value() == 10);
  CHECK(parse_signal("2").value() == 2);
  for (const char* text : {"", "0", "-1", "999", "TERMS", "SIG"}) {
    CAPTURE(text);
    CHECK(!parse_signal(text).ok());
  }
  CHECK(parse_detach_keys("ctrl-p,ctrl-q").value() == "\x10\x11");
  CHECK(parse_detach_keys("a,ctrl-]").value() == "a\x1d");
  CHECK(!parse_detach_keys("ctrl-").ok());
  CHECK(!parse_detach_keys("enter").ok());
}

TEST_CASE("counters of control groups") {
  const char* text = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n";
  CHECK(find_counter(text, "oom_kill") == 3);
  CHECK(find_counter(text, "oom") == std::nullopt);
  CHECK(find_counter("Pss:          12 kB\n", "Pss:") == 12);
  CHECK(find_counter("", "x") == std::nullopt);
}

TEST_CASE("receipts: what differs, and no value of the environment") {
  RunRequest request;
  request.command = {"python", "train.py"};
  request.environment = {"TOKEN=secret", "PATH=/bin"};
  RunFacts about;
  about.id = "1";
  about.image_digest = "sha256:a";
  BundleFacts bundle;
  bundle.limits.memory_bytes = 1 << 20;
  const RuntimeProgram program{Runtime::Crun, "/usr/bin/crun"};
  const std::string one = write_receipt({request, about, bundle, program, "1.8.1"});
  CHECK(one.find("secret") == std::string::npos);
  CHECK(one.find("TOKEN") != std::string::npos);
  about.id = "2";
  CHECK(compare_receipts(one, write_receipt({request, about, bundle, program, "1.8.1"}))
            .value()
            .empty());
  bundle.limits.memory_bytes = 2 << 20;
  request.command.push_back("--epochs=3");
  const auto differences =
      compare_receipts(one, write_receipt({request, about, bundle, program, "1.8.1"})).value();
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].place == "command[2]");
  CHECK(differences[0].one == "absent");
  CHECK(differences[1].place == "limits.memory_bytes");
  CHECK(differences[1].other == "2097152");
  CHECK(compare_receipts("", one).error().kind == ErrorKind::Corrupt);
  CHECK(compare_receipts(one, "[]").error().kind == ErrorKind::Corrupt);
}

TEST_CASE("receipts: files of the host are hashed while they are what they were") {
  const TemporaryFolder folder = TemporaryFolder::create("/tmp", "receipt-test").value();
  const std::string path = folder.path() + "/libcuda.so.1";
  REQUIRE(write_file(path, "abc").ok());
  RunRequest request;
  request.driver.programs = {{path, "/usr/lib/x", Access::ReadOnly}};
  const std::string receipt =
      write_receipt({request, {}, {}, {Runtime::Crun, "/usr/bin/crun"}, ""});
  const char* digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(complete_receipt(receipt).value().find(digest) != std::string::npos);
  REQUIRE(write_file(path, "abd").ok());
  CHECK(complete_receipt(receipt).value().find("\"sha256\": null") != std::string::npos);
}
